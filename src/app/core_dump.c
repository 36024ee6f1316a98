/* SPDX-License-Identifier: Apache-2.0 */

/* The core dump of the app that trapped last. */

#include <string.h>

#include <zephyr/kernel.h>

#include "app/kept.h"
#include "border/shim.h"

/* Protects everything below. */
static K_MUTEX_DEFINE(lock);

static struct {
	/* The app that trapped, or NULL. */
	const struct wisp_app *app;
	size_t length;
	uint32_t generation;
	uint8_t bytes[CONFIG_WISP_CORE_DUMP_SIZE];
} dump;

uint8_t *wisp_shim_core_begin(const struct wisp_app *app, size_t *size)
{
	k_mutex_lock(&lock, K_FOREVER);
	dump.app = app;
	dump.generation++;
	*size = sizeof(dump.bytes);
	return dump.bytes;
}

void wisp_shim_core_end(size_t length)
{
	dump.length = length;
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
