/* SPDX-License-Identifier: Apache-2.0 */

#include <string.h>

#include <zephyr/kernel.h>
#include <zephyr/logging/log.h>
#include <zephyr/sys/util.h>

#include <wisp/wisp.h>

#include "app/arguments.h"
#include "app/fault.h"
#include "app/debug.h"
#include "app/heartbeat.h"
#include "app/history.h"
#include "app/kept.h"
#include "app/deadline.h"
#include "app/profile.h"
#include "border/shim.h"
#include "native/native.h"
#include "app/rate.h"
#include "app/times.h"
#include "drivers/fs.h"
#include "drivers/sensor.h"
#include "translate/translate.h"
#ifdef CONFIG_WISP_STORAGE
#include "storage/storage.h"
#endif

LOG_MODULE_REGISTER(wisp, CONFIG_WISP_LOG_LEVEL);

static int run_errno(uint32_t error)
{
	switch (error) {
	case WISP_RUN_OK:
		return 0;
	case WISP_RUN_NO_MEMORY:
		return -ENOMEM;
	case WISP_RUN_BAD_IMPORT:
	case WISP_RUN_NO_FEATURE:
		return -ENOTSUP;
	case WISP_RUN_NO_ENTRY:
		return -ENOENT;
	case WISP_RUN_LIMIT:
		return -E2BIG;
	default:
		return -ENOEXEC;
	}
}

static void report(const struct wisp_app *app, const struct wisp_app_status *status)
{
	switch (status->state) {
	case WISP_APP_EXITED:
		LOG_INF("%s: exited with status %d", app->name, status->exit_status);
		break;
	case WISP_APP_STOPPED:
		LOG_INF("%s: stopped", app->name);
		break;
	case WISP_APP_TRAPPED:
		if (status->trap == WISP_TRAP_INTERRUPTED) {
			LOG_ERR("%s: no heartbeat in %u ms", app->name, app->heartbeat_ms);
		}
		/*
		 * Otherwise wisp_shim_app_trap() has logged the trap, while the frames still
		 * existed.
		 */
		break;
	default:
		LOG_ERR("%s: not started: error %d", app->name, status->error);
		break;
	}
}

void wisp_shim_app_trap(const struct wisp_app *app, uint32_t trap, const char *place)
{
	LOG_ERR("%s: trap %u (%s), %s", app->name, (unsigned int)trap,
		wisp_trap_text((enum wisp_trap)trap), place);
}

#ifndef CONFIG_WISP_ERROR_MESSAGES

void wisp_shim_error(const struct wisp_app *app, uint32_t error, uint32_t first, uint32_t second)
{
	LOG_ERR("%s: error %u: %u, %u", app->name, (unsigned int)error, (unsigned int)first,
		(unsigned int)second);
}

void wisp_shim_trap(const struct wisp_app *app, uint32_t trap, uint32_t wasm, uint32_t code,
		    uint32_t function, uint32_t offset)
{
	if (function == UINT32_MAX) {
		/* The trap occurred outside of the app's code. */
		LOG_ERR("%s: trap %u, image %08x:%x", app->name, (unsigned int)trap,
			(unsigned int)wasm, (unsigned int)code);
	} else {
		LOG_ERR("%s: trap %u, image %08x:%x, at %u@0x%x", app->name, (unsigned int)trap,
			(unsigned int)wasm, (unsigned int)code, (unsigned int)function,
			(unsigned int)offset);
	}
}

#endif /* CONFIG_WISP_ERROR_MESSAGES */

/* Returns true if the image is part of the firmware, whose build has verified it. */
static bool verified(const uint8_t *bytes)
{
	if (IS_ENABLED(CONFIG_WISP_VERIFY_EMBEDDED)) {
		return false;
	}
	STRUCT_SECTION_FOREACH(wisp_image, image) {
		if (image->data == bytes) {
			return true;
		}
	}
	return false;
}

static uint64_t fuel_of(const struct wisp_app *app)
{
	if (app->data->has_fuel) {
		return app->data->fuel;
	}
	return (app->limits.fuel != 0) ? app->limits.fuel : WISP_FUEL_UNLIMITED;
}

void wisp_shim_app_denied(const struct wisp_app *app)
{
	app->data->denied = true;
}

bool wisp_shim_has_fuel_limit(const struct wisp_app *app)
{
	return fuel_of(app) != WISP_FUEL_UNLIMITED;
}

static void app_thread(void *p1, void *p2, void *p3)
{
	const struct wisp_app *app = p1;
	struct wisp_app_data *data = app->data;
	struct wisp_run run = {
		.app = app,
		.image = data->image,
		.image_size = data->image_size,
		.verified = verified(data->image),
		.arena = app->arena,
		.arena_size = app->arena_size,
		.memory_size = app->memory_size,
		.frame_size = app->frame_size,
		.table_size = app->limits.table_size,
		.call_depth = app->limits.call_depth,
		.max_imports = app->limits.max_imports,
		.max_functions = app->limits.max_functions,
		.stop_interval = CONFIG_WISP_STOP_INTERVAL,
		.fuel = fuel_of(app),
	};
	struct wisp_app_status status = {0};

	ARG_UNUSED(p2);
	ARG_UNUSED(p3);

#ifdef CONFIG_WISP_NATIVE
	wisp_native_prepare(app, &run);
#endif
	wisp_times_begin(app);
	wisp_translate_prepare(app, &run);
	wisp_heartbeat_begin(app);
	wisp_deadline_begin(app);
	wisp_rust_run(&run);
	wisp_times_end(app);
	wisp_translate_end(app);
	wisp_deadline_end(app);
	wisp_heartbeat_end(app);
	wisp_fs_end(app);
	wisp_sensor_end(app);
	wisp_log_end(app);

	status.error = run_errno((enum wisp_run_error)run.error);
	status.function = run.function;
	status.offset = run.offset;
	status.image_wasm = run.image_wasm;
	status.image_code = run.image_code;
	status.fuel_used = run.fuel_used;
	status.arena_used = run.arena_used;
	status.memory_used = run.memory_used;
	status.native = run.ran_native;
	if (run.error != WISP_RUN_OK) {
		status.state = WISP_APP_FAILED;
	} else if (run.trap == WISP_TRAP_INTERRUPTED && !data->missed) {
		status.state = WISP_APP_STOPPED;
	} else if (run.trap == WISP_TRAP_NONE || run.trap == WISP_TRAP_EXIT) {
		status.state = WISP_APP_EXITED;
		status.exit_status = run.exit_status;
	} else {
		status.state = WISP_APP_TRAPPED;
		status.trap = (enum wisp_trap)run.trap;
	}
	report(app, &status);
	wisp_history_add(app, &status);
	wisp_debug_end(app, &status);
	wisp_record_ended(app);

	K_SPINLOCK(&data->lock) {
		data->status = status;
	}
	wisp_profile_ended(app);
#ifdef CONFIG_WISP_STORAGE
	wisp_supervisor_ended(app);
#endif
}

const struct wisp_app *wisp_app_find(const char *name)
{
	STRUCT_SECTION_FOREACH(wisp_app, app) {
		if (strcmp(app->name, name) == 0) {
			return app;
		}
	}
	return NULL;
}

const struct wisp_image *wisp_image_find(const char *name)
{
	STRUCT_SECTION_FOREACH(wisp_image, image) {
		if (strcmp(image->name, name) == 0) {
			return image;
		}
	}
	return NULL;
}

int wisp_app_load(const struct wisp_app *app, const void *image, size_t size)
{
	struct wisp_app_data *data = app->data;
	int ret;

	if (!IS_PTR_ALIGNED(image, uint64_t)) {
		return -EINVAL;
	}
	ret = run_errno(wisp_rust_check(app, image, size));
	if (ret != 0) {
		return ret;
	}
#ifdef CONFIG_WISP_NATIVE
	enum wisp_native native = wisp_native_decide(app, image, size);
#endif
	wisp_fault_detect(app);
	K_SPINLOCK(&data->lock) {
		if (data->status.state == WISP_APP_RUNNING) {
			ret = -EBUSY;
			K_SPINLOCK_BREAK;
		}
		data->image = image;
		data->image_size = size;
#ifdef CONFIG_WISP_NATIVE
		data->native = native;
#endif
		memset(&data->status, 0, sizeof(data->status));
		data->status.state = WISP_APP_LOADED;
	}
	return ret;
}

int wisp_app_load_embedded(const struct wisp_app *app, const char *name)
{
	const struct wisp_image *image = wisp_image_find(name);

	return (image == NULL) ? -ENOENT : wisp_app_load(app, image->data, image->size);
}

void wisp_app_set_fuel(const struct wisp_app *app, uint64_t fuel)
{
	K_SPINLOCK(&app->data->lock) {
		app->data->fuel = fuel;
		app->data->has_fuel = true;
	}
}

#ifdef CONFIG_WISP_DEADLINE
void wisp_app_set_max_run(const struct wisp_app *app, uint32_t milliseconds)
{
	K_SPINLOCK(&app->data->lock) {
		app->data->max_run_ms = milliseconds;
		app->data->has_max_run = true;
	}
}
#endif

int wisp_app_start(const struct wisp_app *app)
{
	struct wisp_app_data *data = app->data;
	bool joinable = false;
	int ret = 0;

	wisp_fault_detect(app);
	if (!wisp_fault_is_released(app)) {
		return -EBUSY;
	}
	wisp_arguments_load(app);
	K_SPINLOCK(&data->lock) {
		if (data->image == NULL) {
			ret = -ENOENT;
			K_SPINLOCK_BREAK;
		}
		if (data->status.state == WISP_APP_RUNNING) {
			ret = -EALREADY;
			K_SPINLOCK_BREAK;
		}
		if (data->releasing) {
			ret = -EBUSY;
			K_SPINLOCK_BREAK;
		}
		joinable = data->created;
		data->created = false;
#ifdef CONFIG_WISP_DEBUG
		/* Until its image says otherwise. */
		data->has_steps = true;
#endif
		data->stopping = false;
		data->expired = false;
		data->denied = false;
		k_sem_init(&data->stop, 0, 1);
		memset(&data->status, 0, sizeof(data->status));
		data->status.state = WISP_APP_RUNNING;
	}
	if (ret != 0) {
		return ret;
	}
	if (joinable) {
		/* The thread has reported its outcome and has ended or is about to end. */
		(void)k_thread_join(&data->thread, K_FOREVER);
	}
	k_thread_create(&data->thread, app->stack, app->stack_size, app_thread, (void *)app, NULL,
			NULL, app->priority, 0, K_FOREVER);
	(void)k_thread_name_set(&data->thread, app->name);
	K_SPINLOCK(&data->lock) {
		data->created = true;
	}
	k_thread_start(&data->thread);
	return 0;
}

int wisp_app_join(const struct wisp_app *app, k_timeout_t timeout)
{
	return app->data->created ? k_thread_join(&app->data->thread, timeout) : 0;
}

void wisp_app_status(const struct wisp_app *app, struct wisp_app_status *status)
{
	wisp_fault_detect(app);
	K_SPINLOCK(&app->data->lock) {
		*status = app->data->status;
	}
}

const char *wisp_app_name(const struct wisp_app *app)
{
	return app->name;
}

const char *wisp_shim_app_name(const struct wisp_app *app)
{
	return app->name;
}

const struct wisp_host_function *wisp_shim_host_functions(size_t *count)
{
	STRUCT_SECTION_START_EXTERN(wisp_host_function);
	size_t functions;

	STRUCT_SECTION_COUNT(wisp_host_function, &functions);
	*count = functions;
	return STRUCT_SECTION_START(wisp_host_function);
}

const uint8_t *wisp_shim_image_find(const char *name, size_t length, size_t *size)
{
	STRUCT_SECTION_FOREACH(wisp_image, image) {
		if (strlen(image->name) == length && memcmp(image->name, name, length) == 0) {
			*size = image->size;
			return image->data;
		}
	}
	return NULL;
}
