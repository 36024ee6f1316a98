/* SPDX-License-Identifier: Apache-2.0 */

/* An app that is translated ends as it does in the interpreter, and stays within its stack. */

#include <stdlib.h>
#include <string.h>

#include <zephyr/ztest.h>
#include <zephyr/ztest_error_hook.h>

#include <wisp/host_function.h>
#include <wisp/wisp.h>

#include "../guests/programs.h"
#include "lines.h"

ZTEST_SUITE(translate, NULL, NULL, NULL, NULL, NULL);

#define APP(_name)  WISP_APP_DT_GET(DT_PATH(wisp_apps, _name))
#define TRANSLATED  APP(translated)
#define URGENT      APP(urgent)
#define INTERPRETED APP(interpreted)
/* There is no room for what the translator needs. */
#define TIGHT       (CONFIG_WISP_INSTANCE_SIZE < 1024)
/* There is room for the code of all functions. */
#define ROOM        (CONFIG_WISP_TRANSLATE_RAM > 4096 && !TIGHT)

static enum task chosen;
static uint64_t result;
static bool asked;
/* Cycles of the clock at the start of an app, at its first call of the firmware and at its last. */
static uint32_t began_at;
static uint32_t asked_at;
static uint32_t ended_at;

static uint32_t give_task(struct wisp_caller *caller, uint32_t *slots, const void *env)
{
	ARG_UNUSED(caller);
	ARG_UNUSED(env);
	slots[0] = chosen;
	asked = true;
	asked_at = k_cycle_get_32();
	return 0;
}
WISP_HOST_FUNCTION_DEFINE("test", "task", "()i", give_task);

static uint32_t take_result(struct wisp_caller *caller, uint32_t *slots, const void *env)
{
	ARG_UNUSED(caller);
	ARG_UNUSED(env);
	ended_at = k_cycle_get_32();
	result = slots[0] | (uint64_t)slots[1] << 32;
	return 0;
}
WISP_HOST_FUNCTION_DEFINE("test", "result", "(I)", take_result);

static uint32_t twice(struct wisp_caller *caller, uint32_t *slots, const void *env)
{
	ARG_UNUSED(caller);
	ARG_UNUSED(env);
	slots[0] *= 2;
	return 0;
}
WISP_HOST_FUNCTION_DEFINE("test", "twice", "(i)i", twice);

/* Sleeps in the start function of an app. */
static uint32_t sleep_long(struct wisp_caller *caller, uint32_t *slots, const void *env)
{
	ARG_UNUSED(slots);
	ARG_UNUSED(env);
	asked = true;
	return wisp_caller_sleep(caller, USEC_PER_SEC) ? WISP_TRAP_INTERRUPTED : 0;
}
WISP_HOST_FUNCTION_DEFINE("test", "sleep", "()", sleep_long);

static void begin_image(const struct wisp_app *app, const char *image)
{
	result = 0;
	asked = false;
	lines_clear();
	zassert_ok(wisp_app_load_embedded(app, image));
	began_at = k_cycle_get_32();
	zassert_ok(wisp_app_start(app));
}

static void begin(const struct wisp_app *app, enum task task)
{
	chosen = task;
	begin_image(app, "tasks");
}

static void wait_until_asked(void)
{
	while (!asked) {
		k_sleep(K_MSEC(1));
	}
}

static struct wisp_app_usage usage_of(const struct wisp_app *app)
{
	struct wisp_app_usage usage;

	wisp_app_usage(app, &usage);
	return usage;
}

static struct wisp_app_status outcome(const struct wisp_app *app)
{
	struct wisp_app_status status;

	zassert_ok(wisp_app_join(app, K_SECONDS(60)));
	wisp_app_status(app, &status);
	return status;
}

static struct wisp_app_status run(const struct wisp_app *app, enum task task)
{
	struct wisp_app_status status;
	struct wisp_app_usage usage;

	begin(app, task);
	status = outcome(app);
	usage = usage_of(app);
	zassert_true(usage.functions >= 6, "%u functions", usage.functions);
	if (app == INTERPRETED || TIGHT) {
		zassert_equal(usage.translated, 0, "%u functions", usage.translated);
	} else if (ROOM) {
		zassert_equal(usage.translated, usage.functions, "%u of %u functions",
			      usage.translated, usage.functions);
	} else {
		zassert_between_inclusive(usage.translated, 1, usage.functions - 1);
	}
	zassert_false(status.native);
	return status;
}

static uint32_t native_twice(uint32_t value)
{
	return 2 * value;
}

static uint32_t native_thrice(uint32_t value)
{
	return 3 * value;
}

static uint32_t (*const volatile functions[])(uint32_t) = {native_twice, native_thrice};

static void print_cycles(const char *tier)
{
	TC_PRINT("%s: %u cycles, and %u before\n", tier, ended_at - asked_at, asked_at - began_at);
}

ZTEST(translate, test_programs_have_their_values_in_both_tiers)
{
	for (enum task task = 0; task < PROGRAMS; task++) {
		uint32_t before = k_cycle_get_32();
		uint64_t expected = run_program(task, functions);

		TC_PRINT("program %d: %u cycles natively\n", task, k_cycle_get_32() - before);
		zassert_equal(run(TRANSLATED, task).state, WISP_APP_EXITED, "program %d", task);
		zassert_equal(result, expected, "program %d", task);
		print_cycles("translated");
		zassert_equal(run(INTERPRETED, task).state, WISP_APP_EXITED, "program %d", task);
		zassert_equal(result, expected, "program %d", task);
		print_cycles("interpreted");
	}
}

/* What the log says behind the app's name of a trap: its number, words, image and frames. */
static void words_of(const struct wisp_app *app, enum task task, char *words, size_t size)
{
	struct wisp_app_status status = run(app, task);
	char name[32];
	const char *line;

	zassert_equal(status.state, WISP_APP_TRAPPED, "state %d, error %d", status.state,
		      status.error);
	snprintk(name, sizeof(name), "%s: trap ", wisp_app_name(app));
	line = lines_behind(name);
	zassert_not_null(line);
	memset(words, 0, size);
	strncpy(words, line, MIN(size - 1, strcspn(line, "\r\n")));
}

ZTEST(translate, test_a_trap_has_the_words_and_frames_that_it_has_in_the_interpreter)
{
	static const enum wisp_trap traps[] = {
		WISP_TRAP_MEMORY_OUT_OF_BOUNDS,
		WISP_TRAP_INTEGER_DIVISION_BY_ZERO,
		WISP_TRAP_UNREACHABLE,
		WISP_TRAP_BAD_SIGNATURE,
	};
	static char got[200];
	static char wanted[200];

	for (enum task task = OUT_OF_BOUNDS; task < TRAPS; task++) {
		words_of(INTERPRETED, task, wanted, sizeof(wanted));
		zassert_equal(atoi(wanted), traps[task - OUT_OF_BOUNDS], "%s", wanted);
		words_of(TRANSLATED, task, got, sizeof(got));
		zassert_str_equal(got, wanted);
		/* trap, middle and the entry */
		zassert_not_null(strstr(strstr(got, " < ") + 1, " < "), "%s", got);
	}
}

ZTEST(translate, test_fuel_is_counted_as_in_the_interpreter)
{
	uint64_t used;

	wisp_app_set_fuel(INTERPRETED, 1000000);
	used = run(INTERPRETED, SORT).fuel_used;
	wisp_app_set_fuel(INTERPRETED, WISP_FUEL_UNLIMITED);
	zassert_true(used > 1000);
	wisp_app_set_fuel(TRANSLATED, used);
	zassert_equal(run(TRANSLATED, SORT).fuel_used, used);
	wisp_app_set_fuel(TRANSLATED, used - 1);
	zassert_equal(run(TRANSLATED, SORT).trap, WISP_TRAP_OUT_OF_FUEL);
	wisp_app_set_fuel(TRANSLATED, WISP_FUEL_UNLIMITED);
}

ZTEST(translate, test_recursion_without_an_end_stays_within_the_native_stack)
{
	struct wisp_app_status status = run(TRANSLATED, RECURSE);
	struct wisp_app_usage usage = usage_of(TRANSLATED);

	zassert_equal(status.state, WISP_APP_TRAPPED);
	zassert_equal(status.trap, WISP_TRAP_STACK_OVERFLOW, "trap %d", status.trap);
	/* Frames of the interpreter do not lie on the native stack. */
	zassert_true(TIGHT || usage.stack > 4096);
	/* What the trap takes lies above the bytes that code leaves free. */
	zassert_true(usage.stack > 0 &&
			     usage.stack <= usage.stack_size - CONFIG_WISP_TRANSLATE_STACK_RESERVE,
		     "%u of %u bytes of the stack", usage.stack, usage.stack_size);
	TC_PRINT("%u of %u bytes of the native stack\n", usage.stack, usage.stack_size);
}

ZTEST(translate, test_a_translated_app_that_spins_is_stopped)
{
	begin(TRANSLATED, SPIN);
	wait_until_asked();
	zassert_ok(wisp_app_stop(TRANSLATED));
	zassert_equal(outcome(TRANSLATED).state, WISP_APP_STOPPED);
}

ZTEST(translate, test_an_app_is_translated_and_runs_while_another_spins_in_its_code)
{
	begin(TRANSLATED, SPIN);
	wait_until_asked();
	zassert_equal(usage_of(TRANSLATED).functions > 0, true);
	TC_PRINT("%u bytes of code\n", TRANSLATED->data->code_size);
	if (ROOM) {
		zassert_equal(run(URGENT, SORT).state, WISP_APP_EXITED);
		zassert_equal(result, run_program(SORT, functions));
	}
	zassert_ok(wisp_app_stop(TRANSLATED));
	zassert_equal(outcome(TRANSLATED).state, WISP_APP_STOPPED);
	/* What it had of the memory is free again. */
	zassert_equal(run(URGENT, SORT).state, WISP_APP_EXITED);
	zassert_equal(result, run_program(SORT, functions));
}

/* Starts an app and returns while it is translated. */
static void begin_translation(const struct wisp_app *app, enum task task)
{
	if (TIGHT) {
		ztest_test_skip();
	}
	begin(app, task);
	/* While the app has memory and nothing is known of its functions, they are translated. */
	while (app->data->code_size == 0 || app->data->most.functions != 0) {
		zassert_false(asked, "the translation took less than a tick");
		k_sleep(K_TICKS(1));
	}
}

ZTEST(translate, test_a_stop_ends_a_translation)
{
	begin_translation(TRANSLATED, SPIN);
	zassert_ok(wisp_app_stop(TRANSLATED));
	zassert_equal(outcome(TRANSLATED).state, WISP_APP_STOPPED);
	zassert_false(asked);
	zassert_equal(TRANSLATED->data->code_size, 0);
	/* It is the next one's turn. */
	zassert_equal(run(TRANSLATED, CHECKSUM).state, WISP_APP_EXITED);
}

static K_THREAD_STACK_DEFINE(busy_stack, 512);
static struct k_thread busy_thread;

static void busy(void *p1, void *p2, void *p3)
{
	ARG_UNUSED(p1);
	ARG_UNUSED(p2);
	ARG_UNUSED(p3);
	for (;;) {
		k_busy_wait(1000);
	}
}

ZTEST(translate, test_an_app_that_waits_for_its_turn_is_not_delayed_by_a_third_thread)
{
	struct wisp_app_status status;

	begin_translation(TRANSLATED, SORT);
	begin(URGENT, SORT);
	/* The third thread has a priority between those of the apps. */
	zassert_true(URGENT->priority + 1 < TRANSLATED->priority);
	k_thread_create(&busy_thread, busy_stack, K_THREAD_STACK_SIZEOF(busy_stack), busy, NULL,
			NULL, NULL, URGENT->priority + 1, 0, K_NO_WAIT);
	zassert_equal(outcome(URGENT).state, WISP_APP_EXITED);
	zassert_equal(result, run_program(SORT, functions));
	/* The first app has its own priority again. */
	zassert_equal(k_thread_priority_get(&TRANSLATED->data->thread), TRANSLATED->priority);
	wisp_app_status(TRANSLATED, &status);
	zassert_equal(status.state, WISP_APP_RUNNING);
	k_thread_abort(&busy_thread);
	zassert_equal(outcome(TRANSLATED).state, WISP_APP_EXITED);
}

ZTEST(translate, test_a_fault_during_a_translation_leaves_the_memory_to_the_next_app)
{
	begin_translation(TRANSLATED, SPIN);
	/* Zephyr does the same with a thread that faults. */
	k_thread_abort(&TRANSLATED->data->thread);
	zassert_equal(run(URGENT, SORT).state, WISP_APP_EXITED);
	zassert_equal(result, run_program(SORT, functions));
	zassert_equal(outcome(TRANSLATED).state, WISP_APP_FAILED);
	zassert_equal(run(TRANSLATED, SORT).state, WISP_APP_EXITED);
}

ZTEST(translate, test_code_of_an_app_whose_fault_nobody_saw_makes_room_for_the_next)
{
	if (TIGHT) {
		ztest_test_skip();
	}
	begin(TRANSLATED, SPIN);
	wait_until_asked();
	zassert_equal(TRANSLATED->data->code_begin, 0);
	zassert_not_equal(TRANSLATED->data->code_size, 0);
	k_thread_abort(&TRANSLATED->data->thread);
	/* It takes the place of the first. */
	zassert_equal(run(URGENT, SORT).state, WISP_APP_EXITED);
	zassert_equal(URGENT->data->code_begin, 0);
	zassert_equal(outcome(TRANSLATED).state, WISP_APP_FAILED);
}

ZTEST(translate, test_an_app_that_sleeps_in_its_start_function_leaves_the_turn_to_the_next)
{
	struct wisp_app_status status;

	begin_image(TRANSLATED, "sleep_in_start");
	wait_until_asked();
	/* It is known already what was translated. */
	zassert_not_equal(usage_of(TRANSLATED).functions, 0);
	begin(URGENT, SORT);
	zassert_equal(outcome(URGENT).state, WISP_APP_EXITED);
	zassert_equal(result, run_program(SORT, functions));
	/* Nobody has lent a priority to the app that sleeps. */
	zassert_equal(k_thread_priority_get(&TRANSLATED->data->thread), TRANSLATED->priority);
	wisp_app_status(TRANSLATED, &status);
	zassert_equal(status.state, WISP_APP_RUNNING);
	zassert_ok(wisp_app_stop(TRANSLATED));
	zassert_equal(outcome(TRANSLATED).state, WISP_APP_STOPPED);
}

ZTEST(translate, test_the_wait_for_a_turn_takes_no_time_of_deadline_and_heartbeat)
{
	struct wisp_app_status status;

	begin_translation(TRANSLATED, SORT);
	k_thread_suspend(&TRANSLATED->data->thread);
	wisp_app_set_max_run(URGENT, URGENT->heartbeat_ms);
	begin(URGENT, SORT);
	k_sleep(K_MSEC(2 * URGENT->heartbeat_ms));
	zassert_false(asked);
	wisp_app_status(URGENT, &status);
	zassert_equal(status.state, WISP_APP_RUNNING);
	k_thread_resume(&TRANSLATED->data->thread);
	zassert_equal(outcome(URGENT).state, WISP_APP_EXITED);
	wisp_app_set_max_run(URGENT, URGENT->limits.max_run_ms);
	zassert_equal(outcome(TRANSLATED).state, WISP_APP_EXITED);
	zassert_equal(result, run_program(SORT, functions));
}

ZTEST(translate, test_a_stop_ends_the_wait_for_a_turn)
{
	begin_translation(TRANSLATED, SORT);
	k_thread_suspend(&TRANSLATED->data->thread);
	begin(URGENT, SORT);
	k_sleep(K_MSEC(100));
	zassert_ok(wisp_app_stop(URGENT));
	zassert_equal(outcome(URGENT).state, WISP_APP_STOPPED);
	zassert_false(asked);
	k_thread_resume(&TRANSLATED->data->thread);
	zassert_equal(outcome(TRANSLATED).state, WISP_APP_EXITED);
	zassert_equal(result, run_program(SORT, functions));
}

extern uint8_t wisp_code_memory[];

ZTEST(translate, test_memory_protection_keeps_code_from_being_written)
{
	if (!IS_ENABLED(CONFIG_ARM_MPU)) {
		ztest_test_skip();
	}
	ztest_set_fault_valid(true);
	*(volatile uint8_t *)wisp_code_memory = 0;
	zassert_unreachable("the code was written");
}

ZTEST(translate, test_the_log_says_why_an_app_is_interpreted)
{
	zassert_equal(run(INTERPRETED, FIBONACCI).state, WISP_APP_EXITED);
	zassert_not_null(lines_behind("interpreted: is interpreted: translated code needs a "
				      "stack-size of "));
	zassert_equal(run(TRANSLATED, FIBONACCI).state, WISP_APP_EXITED);
	zassert_equal(result, run_program(FIBONACCI, functions));
	if (ROOM) {
		zassert_is_null(lines_behind(" functions are interpreted: no room for "));
	} else {
		zassert_not_null(lines_behind(" functions are interpreted: no room for "));
	}
}
