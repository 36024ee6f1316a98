/* SPDX-License-Identifier: Apache-2.0 */

#include <string.h>

#include <zephyr/kernel.h>
#include <zephyr/logging/log.h>
#include <zephyr/sys/util.h>

#include "border/shim.h"

LOG_MODULE_DECLARE(wisp, CONFIG_WISP_LOG_LEVEL);

FUNC_NORETURN void wisp_shim_panic(const char *file, size_t length, uint32_t line)
{
	char name[64];
	size_t part = MIN(length, sizeof(name) - 1);

	/* The end of a path identifies the file better than its beginning. */
	memcpy(name, file + length - part, part);
	name[part] = '\0';
	LOG_ERR("panic at %s:%u", name, line);
	k_panic();
	CODE_UNREACHABLE;
}
