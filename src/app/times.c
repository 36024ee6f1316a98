/* SPDX-License-Identifier: Apache-2.0 */

/* Times of apps, with the kernel's statistics of threads. */

#include <zephyr/kernel.h>
#include <zephyr/sys/util.h>
#ifdef CONFIG_THREAD_RUNTIME_STATS_USE_TIMING_FUNCTIONS
#include <zephyr/timing/timing.h>
#endif

#include "app/times.h"
#include "border/shim.h"

/* Returns the cycles that the app's thread has had the processor. */
static uint64_t cycles_of(const struct wisp_app *app)
{
	k_thread_runtime_stats_t stats = {0};

	(void)k_thread_runtime_stats_get(&app->data->thread, &stats);
	return stats.execution_cycles;
}

static uint64_t us_of(uint64_t cycles)
{
#ifdef CONFIG_THREAD_RUNTIME_STATS_USE_TIMING_FUNCTIONS
	return timing_cycles_to_ns(cycles) / NSEC_PER_USEC;
#else
	return k_cyc_to_us_floor64(cycles);
#endif
}

void wisp_times_begin(const struct wisp_app *app)
{
	K_SPINLOCK(&app->data->lock) {
		/* 0 is before the first run. */
		app->data->times = (struct wisp_times){.began = MAX(k_uptime_ticks(), 1)};
	}
}

void wisp_times_end(const struct wisp_app *app)
{
	uint64_t cycles = cycles_of(app);

	K_SPINLOCK(&app->data->lock) {
		app->data->times.ended = MAX(k_uptime_ticks(), 1);
		app->data->times.cycles = cycles;
	}
}

void wisp_times_woken(const struct wisp_app *app)
{
	app->data->times.wakeups++;
}

void wisp_app_times(const struct wisp_app *app, struct wisp_app_times *found)
{
	struct wisp_times times;
	uint64_t cycles;

	K_SPINLOCK(&app->data->lock) {
		times = app->data->times;
		cycles = times.ended == 0 && app->data->created ? cycles_of(app) : times.cycles;
	}
	*found = (struct wisp_app_times){.wakeups = times.wakeups};
	if (times.began != 0) {
		int64_t end = times.ended != 0 ? times.ended : k_uptime_ticks();

		found->run_us = k_ticks_to_us_floor64(end - times.began);
		found->cpu_us = us_of(cycles);
		found->host_us = us_of(times.host_cycles);
	}
}

#ifdef CONFIG_WISP_HOST_TIME

uint64_t wisp_shim_host_begin(const struct wisp_app *app)
{
	app->data->times.depth++;
	return cycles_of(app);
}

void wisp_shim_host_end(const struct wisp_app *app, uint64_t began)
{
	uint64_t cycles = cycles_of(app) - began;

	/* Calls within a call are a part of it. */
	if (--app->data->times.depth == 0) {
		K_SPINLOCK(&app->data->lock) {
			app->data->times.host_cycles += cycles;
		}
	}
}

#endif
