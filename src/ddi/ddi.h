/* SPDX-License-Identifier: Apache-2.0 */

/*
 * What the files of the DDI client share. Unless a comment says otherwise, only the thread of the
 * client calls these functions.
 */

#ifndef WISP_DDI_DDI_H_
#define WISP_DDI_DDI_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <zephyr/net/http/method.h>

#include <wisp/ddi.h>
#include <wisp/storage.h>

#include "storage/describe.h"

/* Why a step was not done, or 0 if it was. wisp_ddi_words() has the reason as text. */
enum wisp_ddi_trouble {
	/* Another try may succeed. */
	WISP_DDI_PASSING = 1,
	/* The action or file does not exist, or has ended. */
	WISP_DDI_GONE,
	/* Another try would end in the same way. */
	WISP_DDI_LASTING,
};

/* Remembers the reason of a failure as text, and returns `trouble`. */
int wisp_ddi_say(int trouble, const char *format, ...);

/* Returns the reason of the last failure. */
const char *wisp_ddi_words(void);

/* Replaces what is not printable in a text, because it could command a terminal. */
void wisp_ddi_clean(char *text);

/*
 * Settings: where the server is and who the device is, and how far its action is.
 */

/* Server, device and token: those of the settings, or else of the configuration. */
struct wisp_ddi_identity {
	char server[CONFIG_WISP_DDI_URL_SIZE / 2];
	char device[WISP_DDI_DEVICE_SIZE];
	char token[WISP_DDI_TOKEN_SIZE];
};

extern struct wisp_ddi_identity wisp_ddi_identity;

/* Reads the identity. Returns a trouble if it cannot be used. */
int wisp_ddi_identify(void);

/* Where an app of an action is. */
enum wisp_ddi_step {
	/* The image is not known yet. */
	WISP_DDI_WAITING,
	/* The image is being written to the app storage. */
	WISP_DDI_SENDING,
	/* The app storage is told to install the image, and may have done so. */
	WISP_DDI_INSTALLING,
	/* The app storage installed the image. */
	WISP_DDI_TRIAL,
};

enum wisp_ddi_verdict {
	WISP_DDI_OPEN,
	WISP_DDI_SUCCESS,
	WISP_DDI_FAILURE,
};

/* The record of an action that survives resets. The settings hold the same bytes. */
struct wisp_ddi_record {
	uint8_t format;
	/* An enum wisp_ddi_step of the present part, and an enum wisp_ddi_verdict of the action. */
	uint8_t step;
	uint8_t verdict;
	/* The present part. Those before it are kept. */
	uint8_t part;
	/* Checksum of the hashes of all parts, or 0 if the action could not be read. */
	uint32_t parts;
	/* Checksum of server and device. */
	uint32_t who;
	/* Version of the present part's image, as that of struct wisp_store_image. */
	uint32_t version;
	/* SHA-256 of that image. */
	uint8_t hash[32];
	/* Id of the action. It is empty if there is none. */
	char id[WISP_DDI_ID_SIZE];
	/* App of the present part. It is empty while the image is not known. */
	char app[WISP_STORE_NAME_SIZE];
	/* Why the action failed. Shorter than other texts, so that the settings take the record. */
	char reason[144];
};

extern struct wisp_ddi_record wisp_ddi_record;

/* Returns a checksum of server and device. */
uint32_t wisp_ddi_who(void);

/* Read, write and delete the record. */
void wisp_ddi_record_read(void);
int wisp_ddi_record_write(void);
int wisp_ddi_record_delete(void);

/*
 * Requests to the server.
 */

struct wisp_ddi_request {
	enum http_method method;
	/* Absolute address. */
	const char *url;
	/* JSON to send, or NULL. */
	const char *body;
	/* Offset in the file of the first byte that is wanted. */
	uint32_t from;
	/*
	 * Takes the next bytes of the answer, from `from` on. Returns 0 or a trouble, which ends
	 * the request. NULL if the answer does not matter.
	 */
	int (*take)(const uint8_t *bytes, size_t length);
};

/* Makes a request. The device's token goes to the server only. */
int wisp_ddi_ask(const struct wisp_ddi_request *request);

/* Returns the seconds that the last answer asked to wait, or 0. */
uint32_t wisp_ddi_asked_wait(void);

/* Returns whether an address is that of the server. */
bool wisp_ddi_is_own(const char *url);

/*
 * Documents of the server.
 */

/* Holds an answer of the server, and then the texts of the document that it is. */
extern char wisp_ddi_answer[CONFIG_WISP_DDI_ANSWER_SIZE];

/* Answer to a poll. Its texts are valid until the next request. */
struct wisp_ddi_poll_answer {
	/* Seconds until the next poll. */
	uint32_t sleep;
	/* Links, or NULL. */
	const char *deployment;
	const char *cancel;
	const char *config_data;
};

/* A software module of an action. */
struct wisp_ddi_part {
	/* SHA-256 of the image. */
	uint8_t hash[32];
	/* Bytes of the image. */
	uint32_t size;
	/* Name and version that people gave to the module. */
	char module[WISP_DDI_MODULE_SIZE];
};

/* The action that the server named last. */
struct wisp_ddi_action {
	/* The server does not permit the installation yet. */
	bool held;
	uint8_t count;
	struct wisp_ddi_part parts[CONFIG_WISP_DDI_APPS];
	/* Address of the image of the part that was asked for. */
	char url[CONFIG_WISP_DDI_URL_SIZE];
};

extern struct wisp_ddi_action wisp_ddi_action;

/* Asks what the server wants. */
int wisp_ddi_get_poll(struct wisp_ddi_poll_answer *poll);

/* Gets an action, and the address of the image of one of its parts. */
int wisp_ddi_get_action(const char *url, size_t part);

/* Forgets the action, and how often it could not be read. */
void wisp_ddi_forget_action(void);

/* Gets the id of the action that a request to cancel is about. */
int wisp_ddi_get_cancel(const char *wish, char *action, size_t size);

/* Copies the id at the end of a link's path. Returns false if there is none. */
bool wisp_ddi_id_of(const char *link, const char *kind, char *id, size_t size);

/* States of an action in a feedback. */
enum wisp_ddi_state {
	WISP_DDI_TELL_PROCEEDING,
	WISP_DDI_TELL_SUCCESS,
	WISP_DDI_TELL_FAILURE,
	WISP_DDI_TELL_REJECTED,
};

struct wisp_ddi_feedback {
	/* "deploymentBase" or "cancelAction". */
	const char *kind;
	const char *id;
	enum wisp_ddi_state state;
	/* Apps that are kept, of how many. They are not reported if there are none. */
	unsigned int done;
	unsigned int of;
	const char *const *details;
	size_t detail_count;
};

/* Reports the state of an action, or of a request to cancel one. */
int wisp_ddi_tell(const struct wisp_ddi_feedback *feedback);

/* Reports the versions of the apps. */
int wisp_ddi_tell_attributes(void);

/*
 * An app of an action.
 */

/* State of an image in the app storage. */
enum wisp_ddi_look {
	/* The app storage does not have the image. */
	WISP_DDI_LOOK_ABSENT,
	/* The image is on trial. */
	WISP_DDI_LOOK_TRIAL,
	/* The image is kept. */
	WISP_DDI_LOOK_KEPT,
	/* The image is kept, and another update of the app is on trial. */
	WISP_DDI_LOOK_COVERED,
	/* The app storage has the image and does not start it any more. */
	WISP_DDI_LOOK_DISABLED,
};

/* Returns whether an image has this hash. */
bool wisp_ddi_is_image(const struct wisp_store_image *image, const uint8_t *hash);

/* Looks for an image. Fills in its app, unless it is absent. Returns 0 or a trouble. */
int wisp_ddi_look_for(const uint8_t *hash, enum wisp_ddi_look *look, struct wisp_store_app *app);

/* Does one step for the present part. */
int wisp_ddi_step(void);

/* Finds out what became of an installation that a reset may have interrupted. */
int wisp_ddi_settle(void);

/*
 * Watches the trial of the record, if there is one, while the server cannot be reached. Keeps the
 * reason of the last failure. Returns the milliseconds until the end of the trial, or UINT32_MAX.
 */
uint32_t wisp_ddi_watch(void);

/* Returns whether bytes of an image came since the last call. */
bool wisp_ddi_went_on(void);

/*
 * Undoes the action, unless one of its apps is kept already. `words` gets the reason why it cannot
 * be undone, or NULL.
 */
int wisp_ddi_undo(const char **words);

/* Records that the action failed at the present part. The reason is both texts together. */
int wisp_ddi_fail(const char *what, const char *more);

/* Gives up the upload of the present part, if there is one. */
void wisp_ddi_give_up(void);

/* Forgets what was tried for a part. */
void wisp_ddi_begin_tries(void);

/* Shows what the record and the action say to those who ask for the state. */
void wisp_ddi_show(enum wisp_ddi_phase phase, uint32_t bytes);

/* Reports the progress of the action to the server. The action goes on if that fails. */
void wisp_ddi_progress(const char *what);

#endif /* WISP_DDI_DDI_H_ */
