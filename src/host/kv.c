/* SPDX-License-Identifier: Apache-2.0 */

/* Stored values: settings named wisp/<app>/<key>. */

#include <string.h>

#include <zephyr/settings/settings.h>
#include <zephyr/sys/util.h>

#include <wisp/wisp.h>

#include "../grants.h"
#include "errno.h"
#include "shim.h"

#define PREFIX "wisp/"

struct name {
	char text[SETTINGS_MAX_NAME_LEN + 1];
};

/* The setting's name; false if the app's name leaves no room for the key. */
static bool make_name(struct name *name, const struct wisp_app *app, const uint8_t *key,
		      size_t key_length)
{
	size_t app_length = strlen(wisp_app_name(app));
	char *at = name->text;

	if (sizeof(PREFIX) + app_length + 1 + key_length > sizeof(name->text)) {
		return false;
	}
	at = memcpy(at, PREFIX, sizeof(PREFIX) - 1);
	at += sizeof(PREFIX) - 1;
	memcpy(at, wisp_app_name(app), app_length);
	at += app_length;
	if (key_length > 0) {
		*at++ = '/';
		memcpy(at, key, key_length);
		at += key_length;
	}
	*at = '\0';
	return true;
}

uint32_t wisp_shim_kv_size(const struct wisp_app *app)
{
	return (app->grants == NULL) ? 0 : app->grants->kv_size;
}

struct usage {
	const uint8_t *without;
	size_t without_length;
	uint32_t used;
};

static int count(const char *key, size_t length, settings_read_cb read, void *argument,
		 void *parameter)
{
	struct usage *usage = parameter;
	size_t key_length = (key == NULL) ? 0 : strlen(key);

	ARG_UNUSED(read);
	ARG_UNUSED(argument);
	if (key_length != usage->without_length ||
	    memcmp(key, usage->without, key_length) != 0) {
		usage->used += key_length + length;
	}
	return 0;
}

uint32_t wisp_shim_kv_used(const struct wisp_app *app, const uint8_t *key, size_t key_length,
			   uint32_t *used)
{
	struct usage usage = {.without = key, .without_length = key_length};
	struct name name;
	int ret;

	if (!make_name(&name, app, NULL, 0)) {
		return WISP_ENOSPC;
	}
	ret = settings_load_subtree_direct(name.text, count, &usage);
	*used = usage.used;
	return wisp_driver_error(ret);
}

struct reading {
	uint8_t *buffer;
	size_t size;
	size_t length;
	int error;
	bool found;
};

static int take(const char *key, size_t length, settings_read_cb read, void *argument,
		void *parameter)
{
	struct reading *reading = parameter;
	ssize_t got;

	/* Only the key itself, not what is below it. */
	if (key != NULL && *key != '\0') {
		return 0;
	}
	got = read(argument, reading->buffer, MIN(reading->size, length));
	reading->error = (got < 0) ? (int)got : 0;
	reading->length = length;
	reading->found = true;
	return 0;
}

uint32_t wisp_shim_kv_get(const struct wisp_app *app, const uint8_t *key, size_t key_length,
			  uint8_t *buffer, size_t size, uint32_t *length)
{
	struct reading reading = {.buffer = buffer, .size = size};
	struct name name;
	int ret;

	if (!make_name(&name, app, key, key_length)) {
		return WISP_ENOENT;
	}
	ret = settings_load_subtree_direct(name.text, take, &reading);
	if (ret == 0) {
		ret = reading.error;
	}
	*length = (uint32_t)reading.length;
	return (ret == 0 && !reading.found) ? WISP_ENOENT : wisp_driver_error(ret);
}

uint32_t wisp_shim_kv_set(const struct wisp_app *app, const uint8_t *key, size_t key_length,
			  const uint8_t *value, size_t length)
{
	struct name name;

	if (!make_name(&name, app, key, key_length)) {
		return WISP_ENOSPC;
	}
	return wisp_driver_error(settings_save_one(name.text, value, length));
}

uint32_t wisp_shim_kv_remove(const struct wisp_app *app, const uint8_t *key, size_t key_length)
{
	uint32_t length;
	struct name name;
	uint32_t error = wisp_shim_kv_get(app, key, key_length, NULL, 0, &length);

	if (error != 0) {
		return error;
	}
	(void)make_name(&name, app, key, key_length);
	return wisp_driver_error(settings_delete(name.text));
}
