/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Stored values, which are settings named wisp/<app>/<key>. All apps and the firmware share the
 * partition of the settings. So an app has a quota of the bytes that its entries take there, and a
 * limit of the erases that its writes cause.
 */

#include <string.h>

#include <zephyr/devicetree.h>
#include <zephyr/kernel.h>
#include <zephyr/settings/settings.h>
#include <zephyr/sys/util.h>

#include <wisp/wisp.h>

#include "app/grants.h"
#include "app/rate.h"
#include "border/errno.h"
#include "border/shim.h"

#define PREFIX "wisp/"

/* The node of the flash memory has the sizes of blocks, not that of its controller. */
#if DT_HAS_CHOSEN(zephyr_settings_partition)
#define MEMORY DT_GPARENT(DT_CHOSEN(zephyr_settings_partition))
#elif DT_NODE_EXISTS(DT_NODELABEL(storage_partition))
#define MEMORY DT_GPARENT(DT_NODELABEL(storage_partition))
#endif
#ifdef MEMORY
#define WRITE_BLOCK DT_PROP_OR(MEMORY, write_block_size, 8)
#define ERASE_BLOCK DT_PROP_OR(MEMORY, erase_block_size, 4096)
#else
#define WRITE_BLOCK 8
#define ERASE_BLOCK 4096
#endif

/*
 * The name and the value of an entry have a record each. ZMS has a third record that links the
 * names.
 */
#ifdef CONFIG_SETTINGS_ZMS
#define RECORDS     3
#define RECORD_SIZE 32
#else
#define RECORDS     2
#define RECORD_SIZE 8
#endif

/* Returns how many bytes an entry takes in flash. */
static uint32_t entry_size(const struct wisp_app *app, size_t key_length, size_t length)
{
	size_t name = sizeof(PREFIX) - 1 + strlen(wisp_app_name(app)) + 1 + key_length;

	return (uint32_t)(RECORDS * ROUND_UP(RECORD_SIZE, WRITE_BLOCK) +
			  ROUND_UP(name, WRITE_BLOCK) + ROUND_UP(length, WRITE_BLOCK));
}

/* Returns false if the app has reached its limit of writes within the hour. */
static bool may_write(const struct wisp_app *app, uint32_t size)
{
	const struct wisp_rate_limit limit = {
		.budget = app->grants->kv_erases * ERASE_BLOCK,
		.period_ms = 3600 * MSEC_PER_SEC,
	};
	struct wisp_app_data *data = app->data;

	if (!wisp_rate_take(&data->kv_rate, &limit, k_uptime_get(), size)) {
		data->most.kv_refused++;
		return false;
	}
	data->most.kv_written += size;
	return true;
}

struct name {
	char text[SETTINGS_MAX_NAME_LEN + 1];
};

/* Makes the name of the setting. Returns false if the app's name leaves no room for the key. */
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

uint32_t wisp_shim_kv_entry(const struct wisp_app *app, size_t key_length, size_t length)
{
	return entry_size(app, key_length, length);
}

struct usage {
	const struct wisp_app *app;
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
	if (key_length != usage->without_length || memcmp(key, usage->without, key_length) != 0) {
		usage->used += entry_size(usage->app, key_length, length);
	}
	return 0;
}

uint32_t wisp_shim_kv_used(const struct wisp_app *app, const uint8_t *key, size_t key_length,
			   uint32_t *used)
{
	struct usage usage = {.app = app, .without = key, .without_length = key_length};
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

	/* Read the key itself only, not the settings below it. */
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
	if (!may_write(app, entry_size(app, key_length, length))) {
		return WISP_EAGAIN;
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
	if (!may_write(app, entry_size(app, key_length, 0))) {
		return WISP_EAGAIN;
	}
	return wisp_driver_error(settings_delete(name.text));
}
