/* SPDX-License-Identifier: Apache-2.0 */

/*
 * One timer serves all apps with a deadline. An app that has blocked only stores its new deadline,
 * which is cheap. The expired timer reads the deadlines, and is started again for the earliest of
 * them.
 */

#include <zephyr/kernel.h>
#include <zephyr/sys/util.h>

#include <wisp/wisp.h>

#include "app/deadline.h"

static void expired(struct k_timer *timer);

static K_TIMER_DEFINE(supervisor, expired, NULL);
/* Protects the timer and the deadlines of all apps. It is taken before an app's own lock. */
static struct k_spinlock lock;
/* Time at which the timer expires, in ticks since boot. */
static int64_t armed = INT64_MAX;

static void arm(int64_t deadline)
{
	if (deadline < armed) {
		armed = deadline;
		k_timer_start(&supervisor, K_TICKS(MAX(deadline - k_uptime_ticks(), 0)), K_NO_WAIT);
	}
}

static void expired(struct k_timer *timer)
{
	ARG_UNUSED(timer);
	K_SPINLOCK(&lock) {
		int64_t now = k_uptime_ticks();
		int64_t next = INT64_MAX;

		armed = INT64_MAX;
		STRUCT_SECTION_FOREACH(wisp_app, app) {
			int64_t *deadline = &app->data->deadline;

			if (*deadline == 0) {
				continue;
			}
			if (*deadline <= now) {
				*deadline = 0;
				wisp_app_expire(app);
			} else {
				next = MIN(next, *deadline);
			}
		}
		if (next != INT64_MAX) {
			arm(next);
		}
	}
}

static uint32_t max_run_of(const struct wisp_app *app)
{
	return app->data->has_max_run ? app->data->max_run_ms : app->limits.max_run_ms;
}

void wisp_deadline_begin(const struct wisp_app *app)
{
	uint32_t max_run = max_run_of(app);

	if (max_run != 0) {
		K_SPINLOCK(&lock) {
			/* The present tick is not counted, because a part of it has passed. */
			app->data->deadline = k_uptime_ticks() + k_ms_to_ticks_ceil64(max_run) + 1;
			arm(app->data->deadline);
		}
	}
}

void wisp_deadline_end(const struct wisp_app *app)
{
	K_SPINLOCK(&lock) {
		app->data->deadline = 0;
	}
}

void wisp_deadline_pause(const struct wisp_app *app)
{
	wisp_deadline_end(app);
}

void wisp_deadline_resume(const struct wisp_app *app)
{
	wisp_deadline_begin(app);
}
