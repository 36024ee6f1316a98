/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Starts installed apps, restarts them when they crash, and rolls back an update that is not
 * confirmed. All functions but the hooks run in the thread of the app storage.
 */

#include <zephyr/kernel.h>
#include <zephyr/logging/log.h>
#include <zephyr/sys/atomic.h>

#include "app/fault.h"
#include "app/history.h"
#include "storage/storage.h"

LOG_MODULE_DECLARE(wisp, CONFIG_WISP_LOG_LEVEL);

#define STOP_TIMEOUT     K_SECONDS(5)
/* Longest pause before a restart, as a multiple of the first pause. */
#define MOST_DOUBLINGS   6
/* Time after which a start is tried again that a fault's release held up. */
#define RELEASE_PAUSE_MS (30 * MSEC_PER_SEC)

struct supervised {
	/* It was stopped by request: only a request, an update or the next boot starts it. */
	bool held;
	/* NULL if nothing was started. */
	const struct wisp_app *app;
	/* Image that is held for the app, or NULL. */
	const uint8_t *image;
	/* Uptime of the last start in milliseconds. */
	int64_t started;
	/* Uptime of the next start and of the end of the trial, 0 for never. */
	int64_t start_at;
	int64_t trial_ends;
	/*
	 * Reason for which the app is not started again, because the firmware, the app's node or
	 * the RAM for images lacks something. The app itself is not at fault, so the reason is
	 * kept in RAM and the next boot tries again.
	 */
	int waits;
	/* True if the app runs the update. */
	bool is_candidate;
};

static struct supervised all[WISP_STORE_SLOTS];
/* Bits of slots for which a run has ended, and for which the app confirms itself. */
static atomic_t ended;
static atomic_t confirmed;

static struct k_work_q *queue;

static void supervise(struct k_work *work);
static K_WORK_DELAYABLE_DEFINE(tick, supervise);

static void wake(void)
{
	(void)k_work_reschedule_for_queue(queue, &tick, K_NO_WAIT);
}

static bool is_running(const struct wisp_app *app)
{
	struct wisp_app_status status;

	wisp_app_status(app, &status);
	return status.state == WISP_APP_RUNNING;
}

static int change(uint32_t slot, enum wisp_store_change what)
{
	uint32_t value;

	return wisp_rust_store_change(slot, what, &value);
}

int wisp_supervisor_waits(uint32_t slot)
{
	return slot < ARRAY_SIZE(all) ? all[slot].waits : 0;
}

/* Returns true if the firmware or the RAM for images lacks something, and not the app. */
static bool is_lack(int error)
{
	return error == WISP_STORE_NO_INTERFACE || error == WISP_STORE_NOT_GRANTED ||
	       error == WISP_STORE_NO_NATIVE || error == WISP_STORE_NO_RAM;
}

/* Rolls back an update. Returns true if there is an image before it. */
static bool roll_back(const struct wisp_store_app *stored)
{
	all[stored->slot].trial_ends = 0;
	if (stored->running.length != 0) {
		LOG_WRN("%s: update rolled back", stored->name);
		return change(stored->slot, WISP_STORE_ROLL_BACK) == 0;
	}
	LOG_ERR("%s: disabled: its first image was not confirmed, and there is no image before it",
		stored->name);
	(void)change(stored->slot, WISP_STORE_DISABLE);
	return false;
}

/* Unloads and releases the image of an app. Returns false if the app runs. */
static bool let_go(struct supervised *supervised)
{
	struct wisp_app_data *data;
	bool is_used = false;

	if (supervised->image == NULL) {
		return true;
	}
	data = supervised->app->data;
	K_SPINLOCK(&data->lock) {
		if (data->image == supervised->image) {
			is_used = data->status.state == WISP_APP_RUNNING;
			data->image = is_used ? data->image : NULL;
		}
	}
	if (is_used) {
		return false;
	}
	wisp_shim_image_release(supervised->image);
	supervised->image = NULL;
	return true;
}

static int load(const struct wisp_app *app, const struct wisp_store_app *stored, bool candidate)
{
	struct wisp_store_trust trust = wisp_storage_trust(app);
	struct supervised *supervised = &all[stored->slot];
	uint32_t length;
	bool repaired;
	int ret;

	if (!let_go(supervised)) {
		return WISP_STORE_ALREADY;
	}
	ret = wisp_rust_store_open(stored->slot, candidate, &trust, &supervised->image, &length,
				   &repaired);
	if (ret != 0) {
		wisp_storage_explain(stored->name, candidate ? "update not started" : "not started",
				     ret);
		return ret;
	}
	/* Another firmware may have made this check when the image was installed. */
	ret = wisp_rust_store_image_needs(app, supervised->image, length);
	if (ret != 0) {
		wisp_storage_explain(stored->name, candidate ? "update not started" : "not started",
				     ret);
	} else if (wisp_app_load(app, supervised->image, length) != 0) {
		ret = WISP_STORE_NOT_LOADED;
	}
	if (ret != 0) {
		(void)let_go(supervised);
		return ret;
	}
	if (repaired) {
		LOG_WRN("%s: a bit of its image had changed in flash; the image was repaired",
			stored->name);
	}
	return 0;
}

int wisp_supervisor_start(uint32_t slot)
{
	struct supervised *supervised = &all[slot];
	struct wisp_store_app stored;
	const struct wisp_app *app;
	bool candidate;
	int ret;

	supervised->start_at = 0;
	supervised->waits = 0;
	ret = wisp_rust_store_get(slot, &stored);
	if (ret != 0) {
		return ret;
	}
	app = wisp_app_find(stored.name);
	if (app == NULL) {
		return WISP_STORE_NO_APP;
	}
	for (uint32_t other = 0; other < WISP_STORE_SLOTS; other++) {
		/* The app may have another slot than before. */
		if (other != slot && all[other].app == app) {
			if (!let_go(&all[other])) {
				return WISP_STORE_ALREADY;
			}
			all[other] = (struct supervised){0};
		}
	}
	supervised->app = app;
	if (is_running(app)) {
		return WISP_STORE_ALREADY;
	}
	if (!wisp_fault_is_released(app)) {
		/* A release takes as long as the drivers need. The attempt is no start. */
		supervised->start_at = k_uptime_get() + RELEASE_PAUSE_MS;
		wake();
		return WISP_STORE_NOT_STOPPED;
	}

	candidate = stored.candidate.length != 0;
	if (candidate) {
		bool spent = stored.attempts >= CONFIG_WISP_TRIAL_STARTS;

		if (spent) {
			LOG_WRN("%s: update not confirmed in %u starts", stored.name,
				stored.attempts);
			ret = WISP_STORE_UNTRIED;
		} else {
			/* The start is counted first, because it may reset the device. */
			ret = change(slot, WISP_STORE_ATTEMPT);
			if (ret != 0) {
				return ret;
			}
			ret = load(app, &stored, true);
		}
		if (ret != 0) {
			if (!roll_back(&stored)) {
				return ret;
			}
			candidate = false;
		}
	}
	if (!candidate) {
		if (stored.running.length == 0) {
			return WISP_STORE_NOT_FOUND;
		}
		ret = load(app, &stored, false);
		if (is_lack(ret)) {
			supervised->waits = ret;
			return ret;
		}
		if (ret != 0) {
			(void)change(slot, WISP_STORE_DISABLE);
			return ret;
		}
	}
	if (wisp_app_start(app) != 0) {
		return WISP_STORE_NOT_LOADED;
	}
	supervised->held = false;
	supervised->is_candidate = candidate;
	supervised->started = k_uptime_get();
	if (candidate && CONFIG_WISP_TRIAL_SECONDS != 0 && supervised->trial_ends == 0) {
		supervised->trial_ends =
			supervised->started + (int64_t)CONFIG_WISP_TRIAL_SECONDS * MSEC_PER_SEC;
		wake();
	}
	return 0;
}

void wisp_supervisor_hold(uint32_t slot)
{
	all[slot].held = true;
}

int wisp_supervisor_stop(uint32_t slot, bool *was_running)
{
	struct supervised *supervised = &all[slot];
	const struct wisp_app *app = supervised->app;

	*was_running = false;
	supervised->start_at = 0;
	supervised->waits = 0;
	if (app == NULL) {
		return 0;
	}
	*was_running = is_running(app);
	if (*was_running) {
		(void)wisp_app_stop(app);
		if (wisp_app_join(app, STOP_TIMEOUT) != 0) {
			return WISP_STORE_NOT_STOPPED;
		}
	}
	if (!let_go(supervised)) {
		return WISP_STORE_NOT_STOPPED;
	}
	K_SPINLOCK(&app->data->lock) {
		app->data->image = NULL;
	}
	return 0;
}

void wisp_supervisor_restart(uint32_t slot)
{
	all[slot].start_at = MAX(k_uptime_get(), 1);
	wake();
}

void wisp_supervisor_trial_over(uint32_t slot)
{
	all[slot].trial_ends = 0;
	all[slot].is_candidate = false;
}

static int64_t pause_after(uint32_t crashes)
{
	return (int64_t)CONFIG_WISP_RESTART_MS << MIN(MAX(crashes, 1) - 1, MOST_DOUBLINGS);
}

/* Handles the end of a run. */
static void handle_end(uint32_t slot)
{
	struct supervised *supervised = &all[slot];
	struct wisp_app_status status;
	struct wisp_store_app stored;
	int64_t now = k_uptime_get();
	uint32_t crashes;

	if (supervised->app == NULL || wisp_rust_store_get(slot, &stored) != 0) {
		return;
	}
	wisp_app_status(supervised->app, &status);
	if (!wisp_failed(&status) || supervised->held) {
		return;
	}
	if (supervised->is_candidate) {
		/* The next start compares the number of starts. */
		supervised->start_at = now + pause_after(stored.attempts);
		return;
	}
	if (now - supervised->started > (int64_t)CONFIG_WISP_CRASH_FORGET_SECONDS * MSEC_PER_SEC) {
		(void)change(slot, WISP_STORE_ENABLE);
	}
	if (wisp_rust_store_change(slot, WISP_STORE_CRASHED, &crashes) != 0) {
		return;
	}
	if (crashes >= CONFIG_WISP_CRASH_LIMIT && supervised->app->data->denied) {
		LOG_ERR("%s: crashed %u times, and its node lacks a grant: not started again "
			"before "
			"the next boot",
			stored.name, crashes);
		supervised->waits = WISP_STORE_NOT_GRANTED;
		return;
	}
	if (crashes >= CONFIG_WISP_CRASH_LIMIT) {
		LOG_ERR("%s: disabled after %u crashes; start it by hand or update it", stored.name,
			crashes);
		(void)change(slot, WISP_STORE_DISABLE);
		return;
	}
	supervised->start_at = now + pause_after(crashes);
	LOG_WRN("%s: crash %u, started again in %d ms", stored.name, crashes,
		(int)pause_after(crashes));
}

static void handle_confirmation(uint32_t slot)
{
	struct wisp_store_app stored;
	int ret;

	if (!all[slot].is_candidate || wisp_rust_store_get(slot, &stored) != 0 ||
	    stored.candidate.length == 0) {
		return;
	}
	ret = wisp_storage_confirm(&stored);
	if (ret != 0) {
		wisp_storage_explain(stored.name, "update not confirmed", ret);
	}
}

static void handle_trial_end(uint32_t slot)
{
	struct wisp_store_app stored;
	bool was_running;

	all[slot].trial_ends = 0;
	if (wisp_rust_store_get(slot, &stored) != 0 || stored.candidate.length == 0) {
		return;
	}
	if (IS_ENABLED(CONFIG_WISP_CONFIRM_BY_TIME) && is_running(all[slot].app)) {
		int64_t due = all[slot].started + (int64_t)CONFIG_WISP_TRIAL_SECONDS * MSEC_PER_SEC;

		if (k_uptime_get() < due) {
			/* It crashed meanwhile. The number of starts bounds how often. */
			all[slot].trial_ends = due;
			return;
		}
		handle_confirmation(slot);
		return;
	}
	LOG_WRN("%s: update not confirmed in %d s", stored.name, CONFIG_WISP_TRIAL_SECONDS);
	if (wisp_supervisor_stop(slot, &was_running) != 0) {
		/* The guest does not stop. The number of starts decides after the next boot. */
		return;
	}
	if (roll_back(&stored) && !all[slot].held) {
		wisp_supervisor_restart(slot);
	}
}

static void update_stopped_first(uint32_t slot)
{
	struct wisp_store_app stored;
	bool was_running;

	/* An update replaces the image that runs. */
	if (wisp_rust_store_get(slot, &stored) == 0 && stored.candidate.length != 0 &&
	    !all[slot].is_candidate && wisp_supervisor_stop(slot, &was_running) != 0) {
		LOG_ERR("%s: does not stop; the update starts at the next boot", stored.name);
	}
}

static void supervise(struct k_work *work)
{
	atomic_val_t ends = atomic_clear(&ended);
	atomic_val_t confirmations = atomic_clear(&confirmed);
	int64_t next = INT64_MAX;

	ARG_UNUSED(work);
	for (uint32_t slot = 0; slot < WISP_STORE_SLOTS; slot++) {
		struct supervised *supervised = &all[slot];

		if ((confirmations & BIT(slot)) != 0) {
			handle_confirmation(slot);
		}
		if ((ends & BIT(slot)) != 0) {
			handle_end(slot);
		}
		if (supervised->trial_ends != 0 && supervised->trial_ends <= k_uptime_get()) {
			handle_trial_end(slot);
		}
		if (supervised->start_at != 0 && supervised->start_at <= k_uptime_get()) {
			update_stopped_first(slot);
			(void)wisp_supervisor_start(slot);
		}
		if (supervised->start_at != 0) {
			next = MIN(next, supervised->start_at);
		}
		if (supervised->trial_ends != 0) {
			next = MIN(next, supervised->trial_ends);
		}
	}
	if (next != INT64_MAX) {
		/* schedule, not reschedule: a hook may have asked for an earlier turn */
		(void)k_work_schedule_for_queue(queue, &tick,
						K_MSEC(MAX(next - k_uptime_get(), 0)));
	}
}

void wisp_supervisor_boot(struct k_work_q *store_queue)
{
	struct wisp_store_app stored;

	queue = store_queue;
	for (uint32_t slot = 0; slot < WISP_STORE_SLOTS; slot++) {
		if (!IS_ENABLED(CONFIG_WISP_AUTOSTART) || wisp_rust_store_get(slot, &stored) != 0 ||
		    (stored.running.length == 0 && stored.candidate.length == 0)) {
			continue;
		}
		if (stored.disabled || stored.manual) {
			LOG_INF("%s: not started: %s", stored.name,
				stored.disabled ? "it crashed too often" : "started by hand only");
			continue;
		}
		if (wisp_app_find(stored.name) == NULL) {
			LOG_WRN("%s: not started: the firmware has no app of this name",
				stored.name);
			continue;
		}
		(void)wisp_supervisor_start(slot);
	}
}

/* Returns the slot whose image the app runs, or -1. */
static int slot_of(const struct wisp_app *app)
{
	for (int slot = 0; slot < WISP_STORE_SLOTS; slot++) {
		if (all[slot].app == app) {
			return slot;
		}
	}
	return -1;
}

void wisp_supervisor_ended(const struct wisp_app *app)
{
	int slot = slot_of(app);

	if (slot >= 0) {
		(void)atomic_or(&ended, BIT(slot));
		wake();
	}
}

void wisp_supervisor_confirmed(const struct wisp_app *app)
{
	int slot = slot_of(app);

	if (slot >= 0) {
		(void)atomic_or(&confirmed, BIT(slot));
		wake();
	}
}
