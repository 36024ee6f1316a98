/* SPDX-License-Identifier: Apache-2.0 */

/* The core dump of the app that trapped last. */

#include <string.h>

#include <zephyr/kernel.h>
#include <zephyr/logging/log.h>

#include "app/kept.h"
#include "border/shim.h"

LOG_MODULE_DECLARE(wisp, CONFIG_WISP_LOG_LEVEL);

/*
 * Protects all but the bytes. An app's thread does not hold it while it writes the bytes, because a
 * fault of that thread would hold it for ever. No other lock is taken under it: whoever detects a
 * fault of an app takes it.
 */
static K_MUTEX_DEFINE(lock);

static struct {
	/* The app that trapped, or NULL. */
	const struct wisp_app *app;
	/* The app's thread writes the bytes, and nobody else uses them. */
	bool writing;
	size_t length;
	uint32_t generation;
	uint8_t bytes[CONFIG_WISP_CORE_DUMP_SIZE];
} dump;

/* Forgets the dump. A workstation that reads it begins anew. The caller holds the lock. */
static void forget(void)
{
	dump.generation++;
	dump.app = NULL;
	dump.writing = false;
	dump.length = 0;
}

uint8_t *wisp_shim_core_begin(const struct wisp_app *app, size_t *size)
{
	const struct wisp_app *writer = dump.writing ? dump.app : NULL;
	struct wisp_app_status status;
	bool taken;

	if (writer != NULL) {
		/* Detects a fault of its thread, which ends the dump. */
		wisp_app_status(writer, &status);
	}
	k_mutex_lock(&lock, K_FOREVER);
	writer = dump.app;
	taken = dump.writing;
	if (!taken) {
		dump.app = app;
		dump.writing = true;
		dump.length = 0;
		dump.generation++;
	}
	k_mutex_unlock(&lock);
	if (taken) {
		LOG_INF("%s: no core dump is kept, because that of %s is being written", app->name,
			writer->name);
		return NULL;
	}
	*size = sizeof(dump.bytes);
	return dump.bytes;
}

void wisp_shim_core_end(size_t length)
{
	k_mutex_lock(&lock, K_FOREVER);
	dump.length = length;
	dump.writing = false;
	k_mutex_unlock(&lock);
}

void wisp_core_ended(const struct wisp_app *app)
{
	k_mutex_lock(&lock, K_FOREVER);
	if (dump.app == app && dump.writing) {
		forget();
	}
	k_mutex_unlock(&lock);
}

void wisp_core_forget(const struct wisp_app *app)
{
	k_mutex_lock(&lock, K_FOREVER);
	if (dump.app == app && !dump.writing) {
		forget();
	}
	k_mutex_unlock(&lock);
}

void wisp_kept_core(const struct wisp_app *app, size_t offset, uint8_t *bytes, size_t size,
		    struct wisp_kept *kept)
{
	k_mutex_lock(&lock, K_FOREVER);
	kept->length = dump.app == app ? dump.length : 0;
	kept->generation = dump.generation;
	kept->count = offset < kept->length ? MIN(size, kept->length - offset) : 0;
	memcpy(bytes, &dump.bytes[kept->count == 0 ? 0 : offset], kept->count);
	k_mutex_unlock(&lock);
}
