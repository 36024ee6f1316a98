/* SPDX-License-Identifier: Apache-2.0 */

/* Highest use of resources by apps since boot, and the outcome of recent failed runs. */

#include <string.h>

#include <zephyr/kernel.h>
#include <zephyr/sys/util.h>

#include <wisp/wisp.h>

#include "app/grants.h"
#include "app/history.h"
#include "drivers/event.h"
#include "border/shim.h"

#if CONFIG_WISP_RECENT_FAILURES > 0

static struct wisp_failure failures[CONFIG_WISP_RECENT_FAILURES];
/* Number of failures since boot. The last one is at index recorded - 1, modulo the size. */
static uint32_t recorded;
static struct k_spinlock lock;

static void record(const struct wisp_app *app, const struct wisp_app_status *status)
{
	K_SPINLOCK(&lock) {
		failures[recorded++ % ARRAY_SIZE(failures)] = (struct wisp_failure){
			.app = app,
			.uptime_ms = k_uptime_get(),
			.status = *status,
		};
	}
}

int wisp_failure_get(uint32_t index, struct wisp_failure *failure)
{
	int ret = -ENOENT;

	K_SPINLOCK(&lock) {
		if (index < MIN(recorded, ARRAY_SIZE(failures))) {
			*failure = failures[(recorded - 1 - index) % ARRAY_SIZE(failures)];
			ret = 0;
		}
	}
	return ret;
}

uint32_t wisp_failure_count(void)
{
	return recorded;
}

#else

static void record(const struct wisp_app *app, const struct wisp_app_status *status)
{
	ARG_UNUSED(app);
	ARG_UNUSED(status);
}

int wisp_failure_get(uint32_t index, struct wisp_failure *failure)
{
	ARG_UNUSED(index);
	ARG_UNUSED(failure);
	return -ENOENT;
}

uint32_t wisp_failure_count(void)
{
	return 0;
}

#endif /* CONFIG_WISP_RECENT_FAILURES > 0 */

bool wisp_failed(const struct wisp_app_status *status)
{
	return status->state == WISP_APP_TRAPPED || status->state == WISP_APP_FAILED ||
	       (status->state == WISP_APP_EXITED && status->exit_status != 0);
}

/* On native_sim, threads run on stacks of the operating system. */
static uint32_t stack_used(const struct wisp_app *app)
{
#if !defined(CONFIG_ARCH_POSIX) && defined(CONFIG_INIT_STACKS) && defined(CONFIG_THREAD_STACK_INFO)
	size_t unused;

	if (app->data->created && k_thread_stack_space_get(&app->data->thread, &unused) == 0) {
		return app->data->thread.stack_info.size - unused;
	}
#else
	ARG_UNUSED(app);
#endif
	return 0;
}

void wisp_history_add(const struct wisp_app *app, const struct wisp_app_status *status)
{
	struct wisp_app_usage *most = &app->data->most;

	K_SPINLOCK(&app->data->lock) {
		most->arena = MAX(most->arena, status->arena_used);
		most->memory = MAX(most->memory, status->memory_used);
		most->fuel = MAX(most->fuel, status->fuel_used);
		most->runs++;
		if (wisp_failed(status)) {
			most->failures++;
		}
	}
	if (wisp_failed(status)) {
		record(app, status);
	}
}

void wisp_shim_app_usage(const struct wisp_app *app, uint32_t arena, uint32_t memory)
{
	struct wisp_app_usage *most = &app->data->most;

	K_SPINLOCK(&app->data->lock) {
		most->arena = MAX(most->arena, arena);
		most->memory = MAX(most->memory, memory);
	}
}

void wisp_app_usage(const struct wisp_app *app, struct wisp_app_usage *usage)
{
	/* Stack use of the present or last run. */
	uint32_t stack = stack_used(app);

	K_SPINLOCK(&app->data->lock) {
		app->data->most.stack = MAX(app->data->most.stack, stack);
		*usage = app->data->most;
	}
	usage->stack_size = app->stack_size;
	usage->arena_size = app->arena_size;
	usage->memory_size = app->memory_size;
#ifdef CONFIG_WISP_EVENT
	if (app->grants != NULL && app->grants->events != NULL) {
		struct wisp_events *events = app->grants->events;

		K_SPINLOCK(&events->lock) {
			usage->events = events->most;
			usage->events_lost = events->lost_ever;
		}
		usage->events_size = CONFIG_WISP_EVENT_QUEUE;
	}
#endif
#ifdef CONFIG_WISP_FS
	for (uint32_t i = 0;
	     app->grants != NULL && app->grants->fs != NULL && i < app->grants->fs->folder_count;
	     i++) {
		usage->files_used += app->grants->fs->folders[i].used;
	}
#endif
#ifdef CONFIG_WISP_MSG
	for (uint32_t i = 0; app->grants != NULL && i < app->grants->msg_count; i++) {
		const struct wisp_msg_grant *grant = &app->grants->msg[i];

		usage->messages_lost += (grant->queue != NULL) ? grant->end->lost : 0;
	}
#endif
}
