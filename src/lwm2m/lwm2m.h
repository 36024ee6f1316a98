/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Declarations for the files of the LwM2M object. All functions run in the thread of Zephyr's
 * LwM2M engine.
 */

#ifndef WISP_LWM2M_LWM2M_H_
#define WISP_LWM2M_LWM2M_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <zephyr/net/coap.h>

#include <wisp/wisp.h>

/* Resources of the object. */
enum wisp_lwm2m_resource {
	PACKAGE_NAME = 0,
	PACKAGE_VERSION = 1,
	PACKAGE = 2,
	PACKAGE_URI = 3,
	INSTALL = 4,
	UNINSTALL = 6,
	UPDATE_STATE = 7,
	UPDATE_RESULT = 9,
	ACTIVATE = 10,
	DEACTIVATE = 11,
	ACTIVATION_STATE = 12,
};

/* Values of Update State. */
enum wisp_lwm2m_state {
	STATE_INITIAL = 0,
	STATE_DOWNLOAD_STARTED = 1,
	STATE_DELIVERED = 3,
	STATE_INSTALLED = 4,
};

/* Values of Update Result. */
enum wisp_lwm2m_outcome {
	OUTCOME_INITIAL = 0,
	OUTCOME_DOWNLOADING = 1,
	OUTCOME_INSTALLED = 2,
	OUTCOME_VERIFIED = 3,
	OUTCOME_NO_STORAGE = 50,
	OUTCOME_CONNECTION_LOST = 52,
	OUTCOME_INTEGRITY = 53,
	OUTCOME_UNSUPPORTED = 54,
	OUTCOME_INVALID_URI = 56,
	OUTCOME_DEVICE_ERROR = 57,
	OUTCOME_NOT_INSTALLED = 58,
};

/* The record of an instance in the settings. */
struct wisp_lwm2m_kept {
	uint8_t format;
	/* An enum wisp_lwm2m_outcome. */
	uint8_t result;
	/*
	 * SHA-256 of an image that is being installed or on trial. With OUTCOME_NOT_INSTALLED, of
	 * the image that ran when the installation failed. Zeros without one.
	 */
	uint8_t hash[32];
};

/* A request that was executed. */
struct wisp_lwm2m_request {
	/* Uptime when it came. */
	int64_t uptime;
	int result;
	/* Message ID and token of CoAP. */
	uint16_t id;
	uint8_t token_length;
	uint8_t token[COAP_TOKEN_MAX_LEN];
	/* 0 if there was none yet. */
	uint16_t resource;
};

/* An app of the firmware, which is an instance of the object. */
struct wisp_lwm2m_app {
	const struct wisp_app *app;
	struct wisp_lwm2m_kept kept;
	/* The server is about to update the app. Until it has, the app counts as not installed. */
	bool updating;
	/* The last request. */
	struct wisp_lwm2m_request executed;
};

/* Returns an instance, or NULL if there is none or the app storage is not open yet. */
struct wisp_lwm2m_app *wisp_lwm2m_app_of(uint16_t id);

/* Returns the name of the app. */
const char *wisp_lwm2m_name(const struct wisp_lwm2m_app *instance);

/* Reads the state of an instance. Returns 0 or an enum wisp_store_error. */
int wisp_lwm2m_read_state(const struct wisp_lwm2m_app *instance, enum wisp_lwm2m_state *state);

/* Shows the state of an instance to the server, which is told of what it observes. */
void wisp_lwm2m_show(struct wisp_lwm2m_app *instance);

/* The package that is on its way or delivered. The app storage takes one at a time. */
struct wisp_lwm2m_package {
	/* NULL if there is none. */
	struct wisp_lwm2m_app *instance;
	/* The device fetches it itself. */
	bool pulled;
	/* It is complete and was checked. */
	bool delivered;
	/* SHA-256, once it is delivered. */
	uint8_t hash[32];
	/* The app storage knows it, by this owner. */
	bool announced;
	uint32_t owner;
	/* Bytes that came. */
	uint32_t received;
	/* Uptime of the last piece. */
	int64_t last;
};

extern struct wisp_lwm2m_package wisp_lwm2m_package;

/* Ends the package, and deletes what the app storage has of it. */
void wisp_lwm2m_end_package(void);

/* Ends a package that was silent, or not installed, for too long. */
void wisp_lwm2m_watch_package(void);

/* Returns the place where Zephyr puts the next piece of a package. */
void *wisp_lwm2m_place(uint16_t id, uint16_t resource, uint16_t resource_instance, size_t *size);

/* Called when the server wrote a piece of a package, or the address of one. */
int wisp_lwm2m_package_written(uint16_t id, uint16_t resource, uint16_t resource_instance,
			       uint8_t *data, uint16_t length, bool last, size_t total,
			       size_t offset);
int wisp_lwm2m_uri_written(uint16_t id, uint16_t resource, uint16_t resource_instance,
			   uint8_t *data, uint16_t length, bool last, size_t total, size_t offset);

/* Gives the blocks that Zephyr's code fetches a place, unless object 5 of the firmware has one. */
void wisp_lwm2m_prepare_pull(void);

#endif /* WISP_LWM2M_LWM2M_H_ */
