/* SPDX-License-Identifier: Apache-2.0 */

/* Functions that the files of the app storage share. */

#ifndef WISP_STORAGE_STORAGE_H_
#define WISP_STORAGE_STORAGE_H_

#include <wisp/storage.h>
#include <wisp/wisp.h>

#include "storage/public_keys.h"
#include "storage/shim.h"

/* Opens the partition and the memory of its images. Returns 0 or a negative errno. */
int wisp_storage_flash_open(void);

/*
 * The following run in the app storage's thread.
 */

/* Largest size of the words of an error in bytes, with the NUL. */
#define WISP_STORAGE_WORDS 112

/* Logs an error in words, with the name of the app and the failed operation. */
void wisp_storage_explain(const char *name, const char *what, int error);

/* Confirms the update of an app. */
int wisp_storage_confirm(const struct wisp_store_app *stored);

/* Returns the parameters of the check of an image for an app of the firmware. */
struct wisp_store_trust wisp_storage_trust(const struct wisp_app *app);

/* Starts the app in a slot, with its update if it has one. */
int wisp_supervisor_start(uint32_t slot);

/* Stops the app and unloads its image, so that the flash may change. */
/* Says that an app was stopped by request, so that neither a crash nor a trial's end starts it. */
void wisp_supervisor_hold(uint32_t slot);

int wisp_supervisor_stop(uint32_t slot, bool *was_running);

/* Schedules a start of the app with the image that is installed at that time. */
void wisp_supervisor_restart(uint32_t slot);

/*
 * Returns the enum wisp_store_error for which the app in a slot is not started before the next
 * boot or a request, or 0. Callable from any thread.
 */
int wisp_supervisor_waits(uint32_t slot);

/* Records that the update was confirmed. */
void wisp_supervisor_trial_over(uint32_t slot);

/* Starts installed apps at boot. */
void wisp_supervisor_boot(struct k_work_q *queue);

/* Callable from any thread. */

/* Runs a function in the app storage's thread, and returns what the function returns. */
int wisp_storage_run(int (*function)(void *argument), void *argument);

/*
 * Owners of an upload: nobody after a boot, or the firmware with its shell. Every other number is
 * that of a client, and wisp_storage_begin() has returned it.
 */
#define WISP_UPLOAD_NOBODY   0
#define WISP_UPLOAD_FIRMWARE 1

/*
 * These are wisp_store_begin(), wisp_store_write(), wisp_store_finish() and wisp_store_abort() for
 * a client. The first one takes the client's number, or WISP_UPLOAD_NOBODY for a new client, and
 * returns the number of the upload's owner. It replaces the upload of another owner only if that
 * one was silent for CONFIG_WISP_MGMT_IDLE_SECONDS or took CONFIG_WISP_MGMT_UPLOAD_SECONDS.
 */
int wisp_storage_begin(struct wisp_store_upload *upload, uint32_t *owner);
int wisp_storage_write(uint32_t owner, uint32_t offset, const void *data, size_t length);
int wisp_storage_finish(uint32_t owner);
int wisp_storage_abort(uint32_t owner);

/*
 * Completes an upload that was announced with a hash of zeros because its sender does not know it,
 * and checks it as wisp_storage_finish() does, which may follow. An upload that is refused is
 * deleted.
 */
int wisp_storage_identify(uint32_t owner);

/*
 * Deletes an upload that is the caller's, or nobody's because the device was reset. Fills in the
 * number of its owner.
 */
void wisp_storage_give_up(const struct wisp_store_upload *upload, uint32_t *owner);

/*
 * Reads the challenge that the next signed request has to answer. Returns 0 or an enum
 * wisp_store_error.
 */
int wisp_storage_challenge(struct wisp_request_challenge *out);

/*
 * Accepts the payload of a request if a management key signed it for this command and the
 * present challenge. The next request needs another challenge. Returns 0 or an enum
 * wisp_store_error.
 */
int wisp_storage_accept(uint8_t command, const uint8_t *payload, size_t length);

/* Reads the ids of the retired keys, 8 bytes each, at most WISP_STORE_RETIRED_MAX. */
int wisp_storage_retired(uint8_t *ids, size_t *count);

/* Called when an app confirms its update. */
void wisp_supervisor_confirmed(const struct wisp_app *app);

/* Called when a run of an app has ended. */
void wisp_supervisor_ended(const struct wisp_app *app);

#endif /* WISP_STORAGE_STORAGE_H_ */
