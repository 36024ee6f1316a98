/* SPDX-License-Identifier: Apache-2.0 */

/* Native code is stopped wherever it stands, and stays within its stack. */

#include <zephyr/ztest.h>

#include "support.h"

ZTEST_SUITE(limits, NULL, NULL, NULL, NULL, NULL);

/*
 * On native_sim, time stands still while a guest computes, and nobody would stop it. What tests
 * there is that the code looks at its stop flag.
 */
#ifdef CONFIG_ARCH_POSIX
#define SPIN_TASKS
#else
#define SPIN_TASKS                                                                                 \
	SPIN, SPIN_ON_FLOATS, SPIN_ON_SINGLES, SPIN_ON_DIVISIONS, SPIN_ON_COPIES, SPIN_ON_FILLS,   \
		SPIN_ON_CLOCK,
#endif

/* Lets a guest run for a while, stops it and waits for its end. */
static struct wisp_app_status stop_after(const char *image, enum task task, k_timeout_t time)
{
	struct wisp_app_status status;

	begin(image, task);
	k_sleep(time);
	wisp_app_status(&app, &status);
	zassert_equal(status.state, WISP_APP_RUNNING, "state %d", status.state);
	zassert_ok(wisp_app_stop(&app));
	zassert_ok(wisp_app_join(&app, K_SECONDS(5)));
	return outcome();
}

/*
 * In user mode QEMU executes one instruction at a time wherever a region of the memory
 * protection unit is smaller than a page, so that there are fewer rounds.
 */
#define ROUNDS (IS_ENABLED(CONFIG_WISP_NATIVE_USER_MODE) ? 2 : 10)

ZTEST(limits, test_endless_loops_are_stopped_wherever_they_stand)
{
	static const enum task tasks[] = {SPIN_TASKS SPIN_ON_HOST, SLEEP};

	ARRAY_FOR_EACH(tasks, i) {
		for (int round = 0; round < ROUNDS; round++) {
			struct wisp_app_status status =
				stop_after("tasks", tasks[i], K_USEC(20000 + 137 * round));

			zassert_equal(status.state, WISP_APP_STOPPED, "task %d: state %d", tasks[i],
				      status.state);
			zassert_true(status.native);
			zassert_not_equal(status.function, UINT32_MAX);
		}
	}
	/* It works as before. */
	zassert_equal(run("tasks", RETURN_SEVEN).exit_status, 7);
}

ZTEST(limits, test_a_deadline_ends_native_code_wherever_it_stands)
{
	static const enum task tasks[] = {SPIN_TASKS SPIN_ON_HOST};

	wisp_app_set_max_run(&app, 30);
	ARRAY_FOR_EACH(tasks, i) {
		struct wisp_app_status status = run("tasks_only", tasks[i]);

		zassert_equal(status.state, WISP_APP_TRAPPED, "task %d: state %d", tasks[i],
			      status.state);
		zassert_equal(status.trap, WISP_TRAP_DEADLINE_EXCEEDED, "task %d: %s", tasks[i],
			      wisp_trap_text(status.trap));
		zassert_true(status.native);
		zassert_not_equal(status.function, UINT32_MAX);
	}
	wisp_app_set_max_run(&app, 0);
	zassert_equal(run("tasks_only", RETURN_SEVEN).exit_status, 7);
}

ZTEST(limits, test_an_endless_start_function_is_stopped)
{
	struct wisp_app_status status;

	if (IS_ENABLED(CONFIG_ARCH_POSIX)) {
		begin("start_spins", RETURN_SEVEN);
		zassert_ok(wisp_app_stop(&app));
		status = outcome();
	} else {
		status = stop_after("start_spins", RETURN_SEVEN, K_MSEC(20));
	}

	zassert_equal(status.state, WISP_APP_STOPPED);
	zassert_true(status.native);
}

ZTEST(limits, test_an_app_told_to_stop_before_it_runs_ends)
{
	begin("tasks", SPIN);
	zassert_ok(wisp_app_stop(&app));
	zassert_ok(wisp_app_join(&app, K_SECONDS(5)));
	zassert_equal(outcome().state, WISP_APP_STOPPED);
}

ZTEST(limits, test_endless_recursion_is_caught)
{
	size_t unused;
	struct wisp_app_status status;

	forget_log();
	status = run("tasks", RECURSE);
	zassert_true(status.native);
	if (IS_ENABLED(CONFIG_WISP_NATIVE_CALLERS)) {
		char told[200];
		const char *caller;

		/* Calls of the function by itself, more than there is room for. */
		told_of_trap(told, sizeof(told));
		caller = strstr(told, " < ");
		zassert_true(caller != NULL && caller[3] != '.' && was_logged(" < ..."));
	}
	zassert_equal(status.state, WISP_APP_TRAPPED);
	/* The guest's own stack or the thread's, whichever ends first. */
	zassert_true(status.trap == WISP_TRAP_STACK_OVERFLOW ||
		     status.trap == WISP_TRAP_MEMORY_OUT_OF_BOUNDS);
	zassert_ok(k_thread_stack_space_get(&app.data->thread, &unused));
	TC_PRINT("%zu bytes of stack unused\n", unused);
	if (!IS_ENABLED(CONFIG_ARCH_POSIX)) {
		zassert_true(unused >= 128);
	}
}

ZTEST(limits, test_an_app_with_fuel_runs_its_ir)
{
	struct wisp_app_status status;

	wisp_app_set_fuel(&app, 5000);
	status = run("tasks", SPIN);
	zassert_false(status.native);
	if (IS_ENABLED(CONFIG_WISP_INTERPRETER)) {
		zassert_equal(status.state, WISP_APP_TRAPPED);
		zassert_equal(status.trap, WISP_TRAP_OUT_OF_FUEL);
	} else {
		zassert_equal(status.state, WISP_APP_FAILED);
		zassert_equal(status.error, -ENOEXEC);
	}

	status = run("tasks_only", SPIN);
	zassert_equal(status.state, WISP_APP_FAILED);
	zassert_equal(status.error, -ENOEXEC);
	wisp_app_set_fuel(&app, WISP_FUEL_UNLIMITED);
}
