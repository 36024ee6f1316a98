/* SPDX-License-Identifier: Apache-2.0 */

#include <errno.h>
#include <string.h>

#include <zephyr/devicetree.h>
#include <zephyr/kernel.h>

#include <wisp/wisp.h>

#include "border/shim.h"

uint32_t wisp_shim_app_error(int32_t result)
{
	switch (-result) {
	case 0:
		return WISP_APP_ERROR_NONE;
	case EAGAIN:
		return WISP_APP_ERROR_AGAIN;
	case EALREADY:
		return WISP_APP_ERROR_ALREADY;
	case EBUSY:
		return WISP_APP_ERROR_BUSY;
	case EDEADLK:
		return WISP_APP_ERROR_DEADLOCK;
	case EFAULT:
		return WISP_APP_ERROR_FAULT;
	case EINVAL:
		return WISP_APP_ERROR_INVALID;
	case ENOENT:
		return WISP_APP_ERROR_NO_ENTRY;
	case ENOEXEC:
		return WISP_APP_ERROR_NO_EXECUTABLE;
	case ENOMEM:
		return WISP_APP_ERROR_NO_MEMORY;
	case ENOTSUP:
		return WISP_APP_ERROR_NOT_SUPPORTED;
	case E2BIG:
		return WISP_APP_ERROR_TOO_BIG;
	default:
		return WISP_APP_ERROR_OTHER;
	}
}

void wisp_shim_app_outcome(const struct wisp_app *app, struct wisp_outcome *outcome)
{
	struct wisp_app_status status;

	wisp_app_status(app, &status);
	*outcome = (struct wisp_outcome){
		.state = status.state,
		.error = wisp_shim_app_error(status.error),
		.trap = status.trap,
		.function = status.function,
		.offset = status.offset,
		.image_wasm = status.image_wasm,
		.image_code = status.image_code,
		.exit_status = status.exit_status,
		.fuel_used = status.fuel_used,
		.arena_used = status.arena_used,
		.memory_used = status.memory_used,
		.native = status.native,
	};
}

int32_t wisp_shim_app_join(const struct wisp_app *app, int64_t ticks)
{
	k_timeout_t timeout = {.ticks = (k_ticks_t)ticks};

	return wisp_app_join(app, timeout);
}

const struct wisp_app *wisp_shim_app_find(const char *name, size_t length)
{
	STRUCT_SECTION_FOREACH(wisp_app, app) {
		if (strlen(app->name) == length && memcmp(app->name, name, length) == 0) {
			return app;
		}
	}
	return NULL;
}

#define NODE_CASE(_node_id)                                                                        \
	case DT_DEP_ORD(_node_id):                                                                 \
		return WISP_APP_DT_GET(_node_id);
#define NODE_CASES(_node_id) DT_FOREACH_CHILD_STATUS_OKAY(_node_id, NODE_CASE)

const struct wisp_app *wisp_shim_app_of_node(uint32_t ordinal)
{
	switch (ordinal) {
		DT_FOREACH_STATUS_OKAY(wisp_apps, NODE_CASES)
	default:
		return NULL;
	}
}
