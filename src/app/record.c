/* SPDX-License-Identifier: Apache-2.0 */

/* The recording of one app: a ring of items, of which the oldest are forgotten. */

#include <string.h>

#include <zephyr/kernel.h>
#include <zephyr/logging/log.h>
#include <zephyr/sys/byteorder.h>

#include "app/grants.h"
#include "app/kept.h"
#include "border/shim.h"

LOG_MODULE_DECLARE(wisp, CONFIG_WISP_LOG_LEVEL);

enum state {
	/* There is none. */
	STATE_FREE,
	/* The app's thread writes to the ring. */
	STATE_RUNNING,
	STATE_ENDED,
	/* The run ended with a trap, and no workstation has fetched it. */
	STATE_KEPT,
};

/*
 * Protects the state. The ring is the app's while it runs, and whoever holds the lock afterwards.
 * No other lock is taken under it: whoever detects a fault of an app takes it.
 */
static K_MUTEX_DEFINE(lock);

static struct {
	const struct wisp_app *app;
	enum state state;
	uint32_t generation;
	uint32_t lost;
	/* Place of the oldest item, and bytes of all items. */
	size_t first;
	size_t used;
	uint8_t head[WISP_RECORD_HEAD];
	uint8_t ring[CONFIG_WISP_RECORD_SIZE];
} record;

bool wisp_shim_record_begin(const struct wisp_app *app)
{
	const struct wisp_app *recorded = record.app;
	struct wisp_app_status status;
	bool taken;

	if (app->grants == NULL || app->grants->record_count == 0) {
		return false;
	}
	if (recorded != NULL && recorded != app) {
		/* Detects a fault of its thread, which ends the recording. */
		wisp_app_status(recorded, &status);
	}
	k_mutex_lock(&lock, K_FOREVER);
	recorded = record.app;
	taken = record.state == STATE_KEPT || record.state == STATE_RUNNING;
	if (!taken) {
		record.app = app;
		record.state = STATE_RUNNING;
		record.generation++;
		record.lost = 0;
		record.first = 0;
		record.used = 0;
	}
	k_mutex_unlock(&lock);
	if (taken) {
		LOG_INF("%s: is not recorded, because %s is, or its recording was not fetched",
			app->name, recorded->name);
	}
	return !taken;
}

bool wisp_shim_record_wants(const struct wisp_app *app, const uint8_t *name, size_t length)
{
	for (size_t i = 0; i < app->grants->record_count; i++) {
		const char *wanted = app->grants->record_interfaces[i];

		if (strcmp(wanted, "all") == 0 ||
		    (strlen(wanted) == length && memcmp(wanted, name, length) == 0)) {
			return true;
		}
	}
	return false;
}

static uint8_t at(size_t offset)
{
	return record.ring[(record.first + offset) % sizeof(record.ring)];
}

/* Forgets the oldest item. */
static void forget(void)
{
	size_t length = 0;
	size_t size = 0;

	do {
		length |= (size_t)(at(size) & 0x7f) << (7 * size);
	} while ((at(size++) & 0x80) != 0);
	size = MIN(size + length, record.used);
	record.first = (record.first + size) % sizeof(record.ring);
	record.used -= size;
	record.lost++;
}

bool wisp_shim_record_reserve(size_t length)
{
	while (record.used > 0 && record.used + length > sizeof(record.ring)) {
		forget();
	}
	if (length > sizeof(record.ring)) {
		record.lost++;
		return false;
	}
	return true;
}

void wisp_shim_record_put(const uint8_t *bytes, size_t length)
{
	size_t end = (record.first + record.used) % sizeof(record.ring);
	size_t part = MIN(length, sizeof(record.ring) - end);

	if (length > sizeof(record.ring) - record.used) {
		return;
	}
	memcpy(&record.ring[end], bytes, part);
	memcpy(record.ring, &bytes[part], length - part);
	record.used += length;
}

void wisp_shim_record_end(const uint8_t *head, bool keep)
{
	k_mutex_lock(&lock, K_FOREVER);
	memcpy(record.head, head, sizeof(record.head));
	sys_put_le32(record.lost, &record.head[WISP_RECORD_LOST]);
	record.state = keep ? STATE_KEPT : STATE_ENDED;
	k_mutex_unlock(&lock);
}

void wisp_record_ended(const struct wisp_app *app)
{
	k_mutex_lock(&lock, K_FOREVER);
	if (record.app == app && record.state == STATE_RUNNING) {
		/* The last item may not be whole, and there is no first part. */
		record.state = STATE_FREE;
	}
	k_mutex_unlock(&lock);
}

void wisp_record_forget(const struct wisp_app *app)
{
	k_mutex_lock(&lock, K_FOREVER);
	if (record.app == app && record.state != STATE_RUNNING) {
		/* A workstation that reads it begins anew. */
		record.generation++;
		record.state = STATE_FREE;
	}
	k_mutex_unlock(&lock);
}

void wisp_kept_record(const struct wisp_app *app, size_t offset, uint8_t *bytes, size_t size,
		      struct wisp_kept *kept)
{
	struct wisp_app_status status;

	/* Detects a fault of its thread, which ends the recording. */
	wisp_app_status(app, &status);
	k_mutex_lock(&lock, K_FOREVER);
	kept->generation = record.generation;
	if (record.app == app && record.state == STATE_RUNNING) {
		kept->generation = WISP_KEPT_RUNNING;
	} else if (record.app == app && record.state != STATE_FREE) {
		kept->length = sizeof(record.head) + record.used;
	}
	while (kept->count < size && offset < kept->length) {
		bytes[kept->count++] = offset < sizeof(record.head)
					       ? record.head[offset]
					       : at(offset - sizeof(record.head));
		offset++;
	}
	/* A workstation that lost the last answer may ask for it again: only a new run replaces it.
	 */
	if (kept->length > 0 && offset == kept->length && record.state == STATE_KEPT) {
		record.state = STATE_ENDED;
	}
	k_mutex_unlock(&lock);
}
