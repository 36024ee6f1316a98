/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The profile of one app. With each period, a timer looks whether the app's thread has the
 * processor. If so, the system work queue preempts the thread, finds the place of the guest in the
 * registers that the kernel saved, and counts it.
 */

#include <string.h>

#include <zephyr/kernel.h>
#include <zephyr/sys/util.h>

#include "app/kept.h"
#include "app/profile.h"
#include "border/shim.h"
#include "native/preempted.h"

#define WORDS  (WISP_PROFILE_HEAD + WISP_PROFILE_NODE * CONFIG_WISP_PROFILE_NODES)
#define PERIOD MAX(CONFIG_SYS_CLOCK_TICKS_PER_SEC / CONFIG_WISP_PROFILE_HZ, 1)

/* Words of the stack among which the return address of a guest's machine code is looked for. */
#define STACK_WORDS 256

static void expired(struct k_timer *timer);
static void sample(struct k_work *work);

static K_TIMER_DEFINE(timer, expired, NULL);
static K_WORK_DEFINE(work, sample);

/*
 * Protects all but the state of the timer. No other lock is taken under it, except for the spinlock
 * of the app and the lock of the scheduler: whoever detects a fault of an app takes it.
 */
static K_MUTEX_DEFINE(lock);

static struct {
	/* The app whose profile this is, or NULL. */
	const struct wisp_app *app;
	bool running;
	uint32_t generation;
	/* Bytes of the profile. */
	size_t length;
	uint32_t words[WORDS];
} profile;

/* State of the timer. The first two change while it is stopped. */
static struct {
	const struct k_thread *thread;
	/* Time of the end, in ticks since boot. */
	int64_t end;
	uint32_t random;
	atomic_t ticks;
	/* The timer has found that the app has the processor. */
	atomic_t due;
} sampling;

/*
 * Starts the timer for a time between a half and one and a half periods. So apps that work at
 * regular times are not always found at the same place.
 */
static void arm(void)
{
	uint32_t half = PERIOD / 2;

	sampling.random = sampling.random * 1664525 + 1013904223;
	/* The high bits of such a generator are the random ones. */
	k_timer_start(
		&timer,
		K_TICKS(PERIOD - half +
			(uint32_t)(((uint64_t)sampling.random * (2 * (uint64_t)half + 1)) >> 32)),
		K_NO_WAIT);
}

static void expired(struct k_timer *expired_timer)
{
	ARG_UNUSED(expired_timer);
	(void)atomic_inc(&sampling.ticks);
	if (k_current_get() == sampling.thread) {
		(void)atomic_set(&sampling.due, 1);
		(void)k_work_submit(&work);
	}
	if (k_uptime_ticks() < sampling.end) {
		arm();
	}
}

/* Returns how many words of an app's stack are looked at, from this one on. */
static size_t words_of(const struct wisp_app *app, const uintptr_t *stack)
{
	uintptr_t begin = (uintptr_t)K_KERNEL_STACK_BUFFER(app->stack);
	uintptr_t end = begin + app->stack_size;

	if ((uintptr_t)stack < begin || (uintptr_t)stack >= end) {
		return 0;
	}
	return MIN((end - (uintptr_t)stack) / sizeof(uintptr_t), STACK_WORDS);
}

/* Returns the number of frames. The caller is the system work queue, so the app does not run. */
static size_t look(const struct wisp_app *app, struct wisp_place *places)
{
	struct wisp_app_data *data = app->data;
	struct wisp_preempted place = {0};
	size_t count = 0;

	/* On one processor, no thread withdraws the flag meanwhile, and interrupts are served. */
	k_sched_lock();
	if (data->stop_flag != NULL && data->created) {
		if (wisp_preempted_find(&data->thread, &place)) {
			place.registers.words = words_of(app, place.registers.stack);
		}
		count = wisp_rust_profile_look(data->stop_flag, &place.registers, places);
	}
	k_sched_unlock();
	return count;
}

static void sample(struct k_work *sample_work)
{
	struct wisp_place places[WISP_PROFILE_FRAMES];

	ARG_UNUSED(sample_work);
	k_mutex_lock(&lock, K_FOREVER);
	if (atomic_clear(&sampling.due) != 0 && profile.running) {
		size_t count = look(profile.app, places);

		profile.length = wisp_rust_profile_count(profile.words, WORDS, places, count);
	}
	k_mutex_unlock(&lock);
}

/* Ends the profile, if one goes on. The caller holds the lock. */
static void end(void)
{
	if (!profile.running) {
		return;
	}
	k_timer_stop(&timer);
	(void)atomic_clear(&sampling.due);
	profile.running = false;
	wisp_rust_profile_ticks(profile.words, WORDS, (uint32_t)atomic_clear(&sampling.ticks));
}

bool wisp_profile_begin(const struct wisp_app *app, uint32_t ms)
{
	struct wisp_app_data *data = app->data;
	struct wisp_app_status status;
	const void *image = NULL;
	size_t image_size = 0;
	bool runs = false;

	/* Detects a fault of its thread. */
	wisp_app_status(app, &status);
	k_mutex_lock(&lock, K_FOREVER);
	K_SPINLOCK(&data->lock) {
		runs = data->status.state == WISP_APP_RUNNING;
		image = data->image;
		image_size = data->image_size;
	}
	/* Without a profile of this app, that of another one stays. */
	if (runs) {
		end();
		profile.generation++;
		profile.app = app;
		wisp_rust_profile_begin(profile.words, WORDS, image, image_size);
		profile.length = sizeof(uint32_t) * WISP_PROFILE_HEAD;
		profile.running = true;
		sampling.thread = &data->thread;
		sampling.end = k_uptime_ticks() + k_ms_to_ticks_ceil64(ms);
		arm();
	}
	k_mutex_unlock(&lock);
	return runs;
}

void wisp_profile_ended(const struct wisp_app *app)
{
	k_mutex_lock(&lock, K_FOREVER);
	if (profile.app == app) {
		end();
	}
	k_mutex_unlock(&lock);
}

void wisp_profile_forget(const struct wisp_app *app)
{
	k_mutex_lock(&lock, K_FOREVER);
	if (profile.app == app) {
		end();
		/* A workstation that reads it begins anew. */
		profile.generation++;
		profile.app = NULL;
	}
	k_mutex_unlock(&lock);
}

void wisp_kept_profile(const struct wisp_app *app, size_t offset, uint8_t *bytes, size_t size,
		       struct wisp_kept *kept)
{
	struct wisp_app_status status;

	/* Detects a fault of its thread, which ends the profile. */
	wisp_app_status(app, &status);
	k_mutex_lock(&lock, K_FOREVER);
	kept->generation = profile.generation;
	if (profile.app == app && k_uptime_ticks() >= sampling.end) {
		end();
	}
	if (profile.app == app && profile.running) {
		kept->generation = WISP_KEPT_RUNNING;
	} else if (profile.app == app) {
		kept->length = profile.length;
	}
	if (offset < kept->length) {
		kept->count = MIN(size, kept->length - offset);
		memcpy(bytes, (const uint8_t *)profile.words + offset, kept->count);
	}
	k_mutex_unlock(&lock);
}
