/* SPDX-License-Identifier: Apache-2.0 */

/* The thread of the app storage, and the functions with which other threads use it. */

#include <string.h>

#include <zephyr/init.h>
#include <zephyr/kernel.h>
#include <zephyr/logging/log.h>
#include <zephyr/storage/flash_map.h>

#include "app/kept.h"
#include "app/profile.h"
#include "storage/images.h"
#include "storage/storage.h"

LOG_MODULE_DECLARE(wisp, CONFIG_WISP_LOG_LEVEL);

/* Smallest erase block of supported flash memories, for devicetrees that state none. */
/* The node that states the size of erase blocks: the memory, or the controller of other flash. */
#define ERASED_NODE                                                                                \
	COND_CODE_1(DT_NODE_EXISTS(WISP_PARTITION_MEMORY), (WISP_PARTITION_MEMORY),                \
		    (DT_MTD_FROM_FIXED_PARTITION(WISP_PARTITION)))
#define ERASE_BLOCK DT_PROP_OR(ERASED_NODE, erase_block_size, 256)

static uint32_t wear[DIV_ROUND_UP(FIXED_PARTITION_SIZE(wisp_storage), ERASE_BLOCK)];
/* The partition was opened, and what holds its images. */
static bool is_open;

static struct k_work_q queue;
static K_KERNEL_STACK_DEFINE(stack, CONFIG_WISP_STORAGE_STACK_SIZE);

/* Call for which another thread waits. */
struct call {
	struct k_work work;
	int (*run)(void *argument);
	void *argument;
	int result;
};

static void run_call(struct k_work *work)
{
	struct call *call = CONTAINER_OF(work, struct call, work);

	/* Opening it may have found that it cannot be used, after the call was queued. */
	call->result = is_open ? call->run(call->argument) : WISP_STORE_NOT_MOUNTED;
}

int wisp_storage_run(int (*function)(void *argument), void *argument)
{
	struct call call = {.run = function, .argument = argument};
	struct k_work_sync sync;

	if (!is_open) {
		return WISP_STORE_NOT_MOUNTED;
	}
	if (k_current_get() == k_work_queue_thread_get(&queue)) {
		return function(argument);
	}
	k_work_init(&call.work, run_call);
	(void)k_work_submit_to_queue(&queue, &call.work);
	/*
	 * A semaphore given by the handler would not suffice, because the queue still uses the
	 * work item after that.
	 */
	(void)k_work_flush(&call.work, &sync);
	return call.result;
}

void wisp_storage_explain(const char *name, const char *what, int error)
{
	/* A deferred log copies strings up to their NUL, which the words do not have. */
	char text[WISP_STORAGE_WORDS];
	size_t length;
	const char *words = wisp_rust_store_words(error, &length);

	length = MIN(length, sizeof(text) - 1);
	memcpy(text, words, length);
	text[length] = '\0';
	LOG_ERR("%s: %s: %s", name, what, text);
}

struct wisp_store_trust wisp_storage_trust(const struct wisp_app *app)
{
	return (struct wisp_store_trust){
		.keys = wisp_public_keys,
		.key_count = wisp_public_key_count,
		.roots = wisp_root_keys,
		.root_count = wisp_root_key_count,
		.compilers = wisp_compile_keys,
		.compiler_count = wisp_compile_key_count,
		.check_signature = IS_ENABLED(CONFIG_WISP_SIGNATURE_AT_START),
		.allow_unsigned = IS_ENABLED(CONFIG_WISP_ALLOW_UNSIGNED),
		.board = CONFIG_BOARD,
		.board_target = CONFIG_BOARD_TARGET,
		.vendor = CONFIG_WISP_DEVICE_VENDOR,
		.device_class = CONFIG_WISP_DEVICE_CLASS,
		.app = app,
		.memory_size = app->memory_size,
		.frame_size = app->frame_size,
	};
}

struct get {
	uint32_t slot;
	const char *name;
	struct wisp_store_app *app;
};

static int do_get(void *argument)
{
	struct get *get = argument;

	return get->name == NULL ? wisp_rust_store_get(get->slot, get->app)
				 : wisp_rust_store_find(get->name, get->app);
}

int wisp_store_get(uint32_t slot, struct wisp_store_app *app)
{
	struct get get = {.slot = slot, .app = app};

	return wisp_storage_run(do_get, &get);
}

int wisp_store_find(const char *name, struct wisp_store_app *app)
{
	struct get get = {.name = name, .app = app};

	return wisp_storage_run(do_get, &get);
}

static int do_start(void *argument)
{
	struct wisp_store_app stored;
	uint32_t value;
	int ret;

	ret = wisp_rust_store_find(argument, &stored);
	if (ret == 0 && (stored.disabled || stored.crashes != 0)) {
		ret = wisp_rust_store_change(stored.slot, WISP_STORE_ENABLE, &value);
	}
	return ret == 0 ? wisp_supervisor_start(stored.slot) : ret;
}

int wisp_store_start(const char *name)
{
	return wisp_storage_run(do_start, (void *)name);
}

static int do_stop(void *argument)
{
	struct wisp_store_app stored;
	bool was_running;
	int ret;

	ret = wisp_rust_store_find(argument, &stored);
	if (ret == 0) {
		ret = wisp_supervisor_stop(stored.slot, &was_running);
	}
	if (ret == 0) {
		wisp_supervisor_hold(stored.slot);
	}
	return (ret == 0 && !was_running) ? WISP_STORE_ALREADY : ret;
}

int wisp_store_stop(const char *name)
{
	return wisp_storage_run(do_stop, (void *)name);
}

int wisp_storage_confirm(const struct wisp_store_app *stored)
{
	const struct wisp_app *app = wisp_app_find(stored->name);
	struct wisp_store_trust trust;
	int ret;

	if (app == NULL) {
		return WISP_STORE_NO_APP;
	}
	trust = wisp_storage_trust(app);
	ret = wisp_rust_store_confirm(stored->slot, &trust);
	if (ret == 0) {
		wisp_supervisor_trial_over(stored->slot);
		LOG_INF("%s: update confirmed", stored->name);
	}
	return ret;
}

static int do_confirm(void *argument)
{
	struct wisp_store_app stored;
	int ret = wisp_rust_store_find(argument, &stored);

	return ret == 0 ? wisp_storage_confirm(&stored) : ret;
}

int wisp_store_confirm(const char *name)
{
	return wisp_storage_run(do_confirm, (void *)name);
}

static int do_rollback(void *argument)
{
	struct wisp_store_app stored;
	bool was_running;
	uint32_t value;
	int ret;

	ret = wisp_rust_store_find(argument, &stored);
	if (ret != 0) {
		return ret;
	}
	if (stored.candidate.length == 0) {
		return WISP_STORE_NO_CANDIDATE;
	}
	ret = wisp_supervisor_stop(stored.slot, &was_running);
	if (ret != 0) {
		return ret;
	}
	ret = wisp_rust_store_change(stored.slot, WISP_STORE_ROLL_BACK, &value);
	if (ret == 0) {
		LOG_WRN("%s: update rolled back", stored.name);
		if (was_running && stored.running.length != 0) {
			wisp_supervisor_restart(stored.slot);
		}
	}
	return ret;
}

int wisp_store_rollback(const char *name)
{
	return wisp_storage_run(do_rollback, (void *)name);
}

static void forget_kept(const struct wisp_app *app)
{
	wisp_record_forget(app);
	wisp_core_forget(app);
	wisp_profile_forget(app);
}

/* Deletes what is left of an app that is no more: its saved arguments, and all that is kept of it.
 */
static void forget(const char *name)
{
	const struct wisp_app *app = wisp_app_find(name);

	if (app == NULL) {
		return;
	}
#ifdef CONFIG_WISP_ARGS_SAVED
	if (wisp_app_reset_args(app) != 0) {
		LOG_WRN("%s: its saved arguments could not be deleted", name);
	}
#endif
	forget_kept(app);
}

static int do_uninstall(void *argument)
{
	struct wisp_store_app stored;
	bool was_running;
	uint32_t value;
	int ret;

	ret = wisp_rust_store_find(argument, &stored);
	if (ret == 0) {
		ret = wisp_supervisor_stop(stored.slot, &was_running);
	}
	if (ret == 0) {
		ret = wisp_rust_store_change(stored.slot, WISP_STORE_UNINSTALL, &value);
	}
	if (ret == 0) {
		forget(stored.name);
	}
	return ret;
}

int wisp_store_uninstall(const char *name)
{
	return wisp_storage_run(do_uninstall, (void *)name);
}

static int do_format(void *argument)
{
	bool was_running;
	int ret;

	ARG_UNUSED(argument);
	for (uint32_t slot = 0; slot < WISP_STORE_SLOTS; slot++) {
		ret = wisp_supervisor_stop(slot, &was_running);
		if (ret != 0) {
			return ret;
		}
		wisp_supervisor_trial_over(slot);
	}
	ret = wisp_rust_store_format(wear, ARRAY_SIZE(wear));
	if (ret == 0) {
		LOG_WRN("app storage formatted on request");
		STRUCT_SECTION_FOREACH(wisp_app, app) {
			forget_kept(app);
		}
		wisp_supervisor_boot(&queue);
	}
	return ret;
}

int wisp_store_format(void)
{
	return wisp_storage_run(do_format, NULL);
}

struct retired {
	uint8_t *ids;
	size_t *count;
};

static int do_retired(void *argument)
{
	struct retired *retired = argument;

	return wisp_rust_store_retired(retired->ids, retired->count);
}

int wisp_storage_retired(uint8_t *ids, size_t *count)
{
	struct retired retired = {.ids = ids, .count = count};

	return wisp_storage_run(do_retired, &retired);
}

static int do_stat(void *argument)
{
	return wisp_rust_store_stat(argument);
}

int wisp_store_stat(struct wisp_store_stat *stat)
{
	return wisp_storage_run(do_stat, stat);
}

const char *wisp_store_words(int error, size_t *length)
{
	return wisp_rust_store_words(error, length);
}

static int do_boot(void *argument)
{
	const char *const how[] = {"ready", "recovered after a cut",
				   "repaired: a part of its journal was damaged", "formatted"};
	uint32_t mounted;
	int ret;

	ARG_UNUSED(argument);
	ret = wisp_rust_store_mount(wear, ARRAY_SIZE(wear), &mounted);
	if (ret != 0) {
		wisp_storage_explain("app storage", "not opened", ret);
		return ret;
	}
	/* The partition now has a journal, so the compared bytes are not all equal. */
	ret = wisp_images_compare();
	if (ret != 0) {
		is_open = false;
		return ret;
	}
	LOG_INF("app storage %s", how[mounted]);
	if (IS_ENABLED(CONFIG_WISP_ALLOW_UNSIGNED)) {
		LOG_WRN("CONFIG_WISP_ALLOW_UNSIGNED: apps are installed whoever made them");
	} else if (wisp_public_key_count + wisp_root_key_count == 0) {
		LOG_WRN("no app can be installed: CONFIG_WISP_SIGNATURE_KEY_FILE names no key");
	}
	if (wisp_has_development_key) {
		LOG_WRN("the firmware trusts the samples' key, whose secret part everybody has");
	}
	wisp_supervisor_boot(&queue);
	return 0;
}

static int storage_init(void)
{
	static struct call boot = {.run = do_boot};
	const struct k_work_queue_config config = {.name = "wisp_store"};
	int ret;

	k_work_queue_start(&queue, stack, K_KERNEL_STACK_SIZEOF(stack),
			   CONFIG_WISP_STORAGE_PRIORITY, &config);
	ret = wisp_storage_flash_open();
	if (ret != 0) {
		LOG_ERR("app storage: partition wisp_storage cannot be used: %d", ret);
		return ret;
	}
	is_open = true;
	k_work_init(&boot.work, run_call);
	(void)k_work_submit_to_queue(&queue, &boot.work);
	return 0;
}

SYS_INIT(storage_init, APPLICATION, CONFIG_KERNEL_INIT_PRIORITY_DEFAULT);
