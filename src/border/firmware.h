/* SPDX-License-Identifier: Apache-2.0 */

/*
 * What the crate `wisp` of firmware in Rust calls, apart from the functions of wisp/app.h. The
 * types of these functions in C depend on Zephyr's headers or on how long the compiler makes an
 * enum.
 */

#ifndef WISP_BORDER_FIRMWARE_H_
#define WISP_BORDER_FIRMWARE_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <wisp/app.h>

/* Errors of the API of apps. Those of C depend on the C library. */
enum wisp_app_error {
	WISP_APP_ERROR_NONE,
	WISP_APP_ERROR_AGAIN,
	WISP_APP_ERROR_ALREADY,
	WISP_APP_ERROR_BUSY,
	WISP_APP_ERROR_DEADLOCK,
	WISP_APP_ERROR_FAULT,
	WISP_APP_ERROR_INVALID,
	WISP_APP_ERROR_NO_ENTRY,
	WISP_APP_ERROR_NO_EXECUTABLE,
	WISP_APP_ERROR_NO_MEMORY,
	WISP_APP_ERROR_NOT_SUPPORTED,
	WISP_APP_ERROR_TOO_BIG,
	WISP_APP_ERROR_OTHER,
};

/* Translates the result of a function of wisp/app.h to an enum wisp_app_error. */
uint32_t wisp_shim_app_error(int32_t result);

/* State of an app and outcome of its last run: the members of struct wisp_app_status. */
struct wisp_outcome {
	/* An enum wisp_app_state. */
	uint32_t state;
	/* An enum wisp_app_error. */
	uint32_t error;
	/* An enum wisp_trap. */
	uint32_t trap;
	uint32_t function;
	uint32_t offset;
	uint32_t image_wasm;
	uint32_t image_code;
	int32_t exit_status;
	uint64_t fuel_used;
	uint32_t arena_used;
	uint32_t memory_used;
	bool native;
};

/* Reads the state of an app, as wisp_app_status() does. */
void wisp_shim_app_outcome(const struct wisp_app *app, struct wisp_outcome *outcome);

/*
 * Waits as wisp_app_join() does. `ticks` is the member of k_timeout_t: 0 does not wait, and -1
 * waits forever.
 */
int32_t wisp_shim_app_join(const struct wisp_app *app, int64_t ticks);

/* Finds an app by its name, which is not NUL-terminated. Returns NULL if there is none. */
const struct wisp_app *wisp_shim_app_find(const char *name, size_t length);

/* Returns the app of the devicetree node with this ordinal, or NULL if the node is none. */
const struct wisp_app *wisp_shim_app_of_node(uint32_t ordinal);

#endif /* WISP_BORDER_FIRMWARE_H_ */
