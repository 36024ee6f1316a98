/* SPDX-License-Identifier: Apache-2.0 */

/*
 * A small app storage below src/storage/uploads.c: it holds one upload and accepts every complete
 * one. Images are named by one letter, and 'o' is too old. tests/uploads.rs calls the functions at
 * the end.
 */

#include <string.h>

#include "storage/storage.h"

/* The upload that is going on. Its length is 0 without one. */
static struct wisp_store_upload present;
static uint8_t accepted;
static int64_t now;
/* The name of an app in the last line of the log. */
static char logged[64];

static const struct wisp_app app = {.name = "app"};

int64_t k_uptime_get(void)
{
	return now;
}

int wisp_storage_run(int (*function)(void *argument), void *argument)
{
	return function(argument);
}

const struct wisp_app *wisp_app_find(const char *name)
{
	return strcmp(name, app.name) == 0 ? &app : NULL;
}

uint32_t wisp_rust_store_needs(const struct wisp_app *of, const uint8_t *names, size_t length)
{
	ARG_UNUSED(of);
	ARG_UNUSED(names);
	ARG_UNUSED(length);
	return 0;
}

uint32_t wisp_rust_store_targets(const struct wisp_app *of, const uint8_t *targets, size_t length)
{
	ARG_UNUSED(of);
	ARG_UNUSED(targets);
	ARG_UNUSED(length);
	return 0;
}

uint32_t wisp_rust_store_begin(const struct wisp_store_upload *upload, bool replace,
			       uint32_t *offset)
{
	if (replace || present.image.length == 0) {
		if (upload->image.hash[0] == 'o') {
			return WISP_STORE_ROLLBACK;
		}
		present = *upload;
		present.offset = 0;
	} else if (present.image.hash[0] != upload->image.hash[0]) {
		return WISP_STORE_BUSY;
	}
	*offset = present.offset;
	return 0;
}

uint32_t wisp_rust_store_write(uint32_t offset, const uint8_t *data, size_t length)
{
	ARG_UNUSED(data);
	if (offset != present.offset) {
		return WISP_STORE_OFFSET;
	}
	present.offset += (uint32_t)length;
	return 0;
}

uint32_t wisp_rust_store_progress(struct wisp_store_upload *upload)
{
	*upload = present;
	return present.image.length == 0 ? WISP_STORE_NO_UPLOAD : 0;
}

uint32_t wisp_rust_store_abort(void)
{
	present.image.length = 0;
	return 0;
}

uint32_t wisp_rust_store_accept(const struct wisp_store_trust *trust, uint32_t *slot)
{
	ARG_UNUSED(trust);
	*slot = 0;
	if (present.offset != present.image.length) {
		return WISP_STORE_INCOMPLETE;
	}
	accepted = present.image.hash[0];
	present.image.length = 0;
	return 0;
}

uint32_t wisp_rust_store_identify(const struct wisp_store_trust *trust)
{
	ARG_UNUSED(trust);
	return present.offset == present.image.length ? 0 : WISP_STORE_INCOMPLETE;
}

uint32_t wisp_rust_store_get(uint32_t slot, struct wisp_store_app *stored)
{
	ARG_UNUSED(slot);
	ARG_UNUSED(stored);
	return WISP_STORE_NOT_FOUND;
}

struct wisp_store_trust wisp_storage_trust(const struct wisp_app *of)
{
	return (struct wisp_store_trust){.app = of};
}

void wisp_storage_explain(const char *name, const char *what, int error)
{
	strncpy(logged, name, sizeof(logged) - 1);
	ARG_UNUSED(what);
	ARG_UNUSED(error);
}

void wisp_supervisor_restart(uint32_t slot)
{
	ARG_UNUSED(slot);
}

void wisp_supervisor_trial_over(uint32_t slot)
{
	ARG_UNUSED(slot);
}

/* Empties the app storage as at first use. The owner of the last upload is not known here. */
void fuzz_uploads_reset(void)
{
	memset(&present, 0, sizeof(present));
	memset(logged, 0, sizeof(logged));
	accepted = 0;
}

void fuzz_uploads_wait(int64_t ms)
{
	now += ms;
}

/* Announces an image of 100 bytes for an app. */
uint32_t fuzz_uploads_begin(const char *name, uint8_t image, uint32_t *owner)
{
	struct wisp_store_upload upload = {.image = {.length = 100, .hash = {image}}};

	strncpy(upload.name, name, sizeof(upload.name) - 1);
	return wisp_storage_begin(&upload, owner);
}

uint32_t fuzz_uploads_write(uint32_t owner, uint32_t offset, size_t length)
{
	return wisp_storage_write(owner, offset, NULL, length);
}

uint32_t fuzz_uploads_finish(uint32_t owner)
{
	return wisp_storage_finish(owner);
}

uint32_t fuzz_uploads_abort(uint32_t owner)
{
	return wisp_storage_abort(owner);
}

/* Returns the image that was accepted last, or 0. */
uint8_t fuzz_uploads_accepted(void)
{
	return accepted;
}

/* Returns the name of an app in the last line of the log. */
const char *fuzz_uploads_logged(void)
{
	return logged;
}
