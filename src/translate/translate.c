/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The memory for machine code that is made of the IR of apps.
 *
 * All apps share one array. An app that starts takes the largest free part, writes its code there,
 * and gives back what is left over, before the next app takes its part. So it is not known before
 * how much an app needs, and nothing is translated twice. An app keeps its part until its run ends.
 */

#include <string.h>

#include <zephyr/kernel.h>
#include <zephyr/logging/log.h>
#include <zephyr/sys/__assert.h>
#include <zephyr/sys/util.h>

#include "app/deadline.h"
#include "app/fault.h"
#include "app/heartbeat.h"
#include "translate/memory.h"
#include "translate/translate.h"

LOG_MODULE_DECLARE(wisp, CONFIG_WISP_LOG_LEVEL);

/* Protects the parts of all apps, and `turn`. */
static struct k_spinlock lock;
/* The app that translates, if any. */
static const struct wisp_app *turn;

/* Returns the first byte of the next part from `from` on, or the end of the memory. */
static uint32_t next_part(uint32_t from)
{
	uint32_t next = wisp_code_size();

	STRUCT_SECTION_FOREACH(wisp_app, app) {
		if (app->data->code_size != 0 && app->data->code_begin >= from) {
			next = MIN(next, app->data->code_begin);
		}
	}
	return next;
}

/* Gives the largest free part to an app. Free parts begin at 0 and behind the parts of apps. */
static void take_largest(const struct wisp_app *taker)
{
	uint32_t begin = 0;
	uint32_t size = next_part(0);

	STRUCT_SECTION_FOREACH(wisp_app, app) {
		uint32_t end = app->data->code_begin + app->data->code_size;

		if (app->data->code_size != 0 && next_part(end) - end > size) {
			begin = end;
			size = next_part(end) - end;
		}
	}
	taker->data->code_begin = begin;
	taker->data->code_size = size;
}

/* Returns true if it is the app's turn to translate, and gives the app memory then. */
static bool try_take(const struct wisp_app *app)
{
	bool taken = false;

	K_SPINLOCK(&lock) {
		if (turn == NULL) {
			turn = app;
			/* The search must not find a part of the app itself. */
			app->data->code_size = 0;
			take_largest(app);
			taken = true;
		}
	}
	return taken;
}

/* Lends the app's priority to the app whose turn it is, so that no third thread delays both. */
static void hurry(const struct wisp_app *app)
{
	K_SPINLOCK(&lock) {
		if (turn != NULL && k_thread_priority_get(&turn->data->thread) > app->priority) {
			k_thread_priority_set(&turn->data->thread, app->priority);
		}
	}
}

/*
 * Waits until it is the app's turn, and returns true then. Returns false if the app has to stop.
 * The work of another app is no computing of this one, which has no heartbeat to give meanwhile.
 */
static bool wait_for_turn(const struct wisp_app *app)
{
	bool taken = false;

	wisp_heartbeat_end(app);
	wisp_deadline_pause(app);
	while (!taken && wisp_shim_app_stop_reason(app) == 0) {
		hurry(app);
		k_sleep(K_TICKS(1));
		/* An app that a fault has ended gives back its turn and its memory. */
		wisp_fault_detect_others(app);
		taken = try_take(app);
	}
	wisp_deadline_resume(app);
	/* Begins anew, unless the app missed its heartbeat before the wait, which is recorded. */
	if (taken) {
		wisp_heartbeat_begin(app);
	}
	return taken;
}

uintptr_t wisp_shim_code_take(const struct wisp_app *app, uint32_t *size)
{
	uintptr_t start;

	*size = 0;
	wisp_fault_detect_others(app);
	if (!try_take(app) && !wait_for_turn(app)) {
		return 0;
	}
	*size = app->data->code_size;
	start = (uintptr_t)wisp_code_memory + app->data->code_begin;
	/* The array is aligned, and each app keeps a multiple of 8 bytes. */
	__ASSERT(start % sizeof(uint64_t) == 0,
		 "the code of %s must lie at a multiple of 8, not at %#lx", app->name,
		 (unsigned long)start);
	return start;
}

/* Ends the app's part behind `bytes`. If it was the app's turn, the next app may translate. */
static void keep(const struct wisp_app *app, uint32_t bytes)
{
	bool ended = false;

	K_SPINLOCK(&lock) {
		app->data->code_size = bytes;
		if (turn == app) {
			turn = NULL;
			ended = true;
		}
	}
	if (ended) {
		/* Nobody lends a priority to an app whose turn it is not. */
		k_thread_priority_set(&app->data->thread, app->priority);
	}
}

static void tell(const struct wisp_app *app, const struct wisp_translated *figures)
{
	if (figures->stack_needed != 0) {
		LOG_WRN("%s: is interpreted: translated code needs a stack-size of %u bytes or "
			"more",
			app->name, (unsigned int)(app->stack_size + figures->stack_needed));
	} else if (figures->translated < figures->functions) {
		LOG_WRN("%s: %u of %u functions are interpreted: no room for %u, over the budget "
			"%u",
			app->name, (unsigned int)(figures->functions - figures->translated),
			(unsigned int)figures->functions, (unsigned int)figures->no_room,
			(unsigned int)figures->over_budget);
	} else {
		LOG_DBG("%s: %u functions translated, %u bytes", app->name,
			(unsigned int)figures->functions, (unsigned int)figures->bytes);
	}
}

static void note(const struct wisp_app *app, uint32_t functions, uint32_t translated)
{
	K_SPINLOCK(&app->data->lock) {
		app->data->most.functions = functions;
		app->data->most.translated = translated;
	}
}

void wisp_shim_code_keep(const struct wisp_app *app, const struct wisp_translated *figures)
{
	keep(app, figures->bytes);
	note(app, figures->functions, figures->translated);
	if (wisp_shim_app_stop_reason(app) == 0) {
		tell(app, figures);
	}
}

void wisp_translate_prepare(const struct wisp_app *app, struct wisp_run *run)
{
	note(app, 0, 0);
	run->translate_budget = CONFIG_WISP_TRANSLATE_BUDGET;
	run->translated_limit =
		(uintptr_t)K_KERNEL_STACK_BUFFER(app->stack) + CONFIG_WISP_TRANSLATE_STACK_RESERVE;
}

void wisp_translate_end(const struct wisp_app *app)
{
	keep(app, 0);
}
