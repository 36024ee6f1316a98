/* SPDX-License-Identifier: Apache-2.0 */

/* What the files of the app storage share. */

#ifndef WISP_STORAGE_STORAGE_H_
#define WISP_STORAGE_STORAGE_H_

#include <wisp/storage.h>
#include <wisp/wisp.h>

#include "storage/public_keys.h"
#include "storage/shim.h"

/* Opens the partition and tells where it is mapped; 0 or a negative errno. */
int wisp_storage_flash_open(const uint8_t **map);

/*
 * Compares bytes that the flash driver reads with those at the map. Returns 0 or a negative
 * errno. An erased partition may look like one that does not exist, so the comparison is
 * repeated after the app storage was opened.
 */
int wisp_storage_flash_compare(const uint8_t *map);

/*
 * The following run in the app storage's thread.
 */

/* Bytes of an error in words, with its NUL. */
#define WISP_STORAGE_WORDS 112

/* Logs an error in words: what happened to what. */
void wisp_storage_explain(const char *name, const char *what, int error);

/* Keeps the update of the app in a slot. */
int wisp_storage_confirm(const struct wisp_store_app *stored);

/* How images are checked, and for which app of the firmware. */
struct wisp_store_trust wisp_storage_trust(const struct wisp_app *app);

/* Starts the app in a slot: its update if it has one. */
int wisp_supervisor_start(uint32_t slot);

/* Stops it, and takes its image away: what is in flash may change then. */
int wisp_supervisor_stop(uint32_t slot, bool *was_running);

/* Starts it when the app storage's thread has time, with what is installed then. */
void wisp_supervisor_restart(uint32_t slot);

/* Why the app in a slot is not started before the next boot: an enum wisp_store_error, or 0. From
 * any thread. */
int wisp_supervisor_waits(uint32_t slot);

/* The update is no longer one. */
void wisp_supervisor_trial_over(uint32_t slot);

/* Starts what is to be started at boot. */
void wisp_supervisor_boot(struct k_work_q *queue);

/*
 * From any thread.
 */

/* True for an image in the app storage's partition. */
bool wisp_storage_holds(const uint8_t *image);

/* Ids of the retired keys, 8 bytes each, for WISP_STORE_RETIRED_MAX of them. */
int wisp_storage_retired(uint8_t *ids, size_t *count);

/* An app wants its update to be kept. */
void wisp_supervisor_confirmed(const struct wisp_app *app);

/* An app's run is over. */
void wisp_supervisor_ended(const struct wisp_app *app);

#endif /* WISP_STORAGE_STORAGE_H_ */
