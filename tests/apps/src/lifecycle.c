/* SPDX-License-Identifier: Apache-2.0 */

/* Loading, starting, stopping, joining. Several apps at once. */

#include <string.h>

#include <zephyr/ztest.h>

#include "support.h"

ZTEST_SUITE(lifecycle, NULL, NULL, NULL, NULL, NULL);

WISP_APP_DEFINE(unused, "unused", 0);

/*
 * On native_sim no time passes while code computes, so nothing ever interrupts a guest
 * that spins.
 */
#define NEEDS_PREEMPTION() Z_TEST_SKIP_IFDEF(CONFIG_ARCH_POSIX)

ZTEST(lifecycle, test_apps_are_found_by_name)
{
	zassert_equal_ptr(wisp_app_find("plain"), &plain);
	zassert_equal_ptr(wisp_app_find("first"), FIRST);
	zassert_is_null(wisp_app_find("absent"));
	zassert_str_equal(wisp_app_name(SECOND), "second");
}

ZTEST(lifecycle, test_images_are_found_by_name)
{
	const struct wisp_image *image = wisp_image_find("pins");

	zassert_not_null(image);
	zassert_true(image->size > 0);
	zassert_is_null(wisp_image_find("absent"));
}

ZTEST(lifecycle, test_an_app_without_image_does_not_start)
{
	struct wisp_app_status status;

	zassert_equal(wisp_app_start(&unused), -ENOENT);
	zassert_equal(wisp_app_stop(&unused), -EALREADY);
	zassert_ok(wisp_app_join(&unused, K_NO_WAIT));
	wisp_app_status(&unused, &status);
	zassert_equal(status.state, WISP_APP_EMPTY);
}

ZTEST(lifecycle, test_what_is_no_image_is_refused)
{
	static const uint8_t zeros[64] __aligned(8);
	static const uint8_t wasm[16] __aligned(8) = {0, 'a', 's', 'm', 1};
	const struct wisp_image *image = wisp_image_find("behaviours");

	zassert_equal(wisp_app_load(&unused, zeros, sizeof(zeros)), -ENOEXEC);
	zassert_equal(wisp_app_load(&unused, zeros, 0), -ENOEXEC);
	zassert_equal(wisp_app_load(&unused, wasm, sizeof(wasm)), -ENOEXEC);
	zassert_equal(wisp_app_load(&unused, image->data, image->size / 2), -ENOEXEC);
	zassert_equal(wisp_app_load(&unused, image->data + 1, image->size - 1), -EINVAL);
	zassert_equal(wisp_app_load_embedded(&unused, "absent"), -ENOENT);
}

ZTEST(lifecycle, test_a_damaged_image_does_not_run)
{
	static uint8_t copy[6144] __aligned(8);
	const struct wisp_image *image = wisp_image_find("behaviours");
	struct wisp_app_status status;

	zassert_true(image->size <= sizeof(copy));
	/* Every word of code becomes an operation that does not exist. */
	memcpy(copy, image->data, image->size);
	memset(copy + image->size / 3, 0xff, image->size / 3);
	if (wisp_app_load(&plain, copy, image->size) == 0) {
		zassert_ok(wisp_app_start(&plain));
		status = outcome(&plain);
		zassert_equal(status.state, WISP_APP_FAILED);
		zassert_equal(status.error, -ENOEXEC);
	}
}

ZTEST(lifecycle, test_a_running_app_is_not_started_or_loaded_again)
{
	begin(&plain, SLEEP);
	zassert_equal(wisp_app_start(&plain), -EALREADY);
	zassert_equal(wisp_app_load_embedded(&plain, "pins"), -EBUSY);
	zassert_equal(wisp_app_join(&plain, K_NO_WAIT), -EBUSY);
	zassert_equal(wisp_app_join(&plain, K_MSEC(20)), -EAGAIN);
	zassert_ok(wisp_app_stop(&plain));
	zassert_equal(outcome(&plain).state, WISP_APP_STOPPED);
}

ZTEST(lifecycle, test_an_app_runs_again_from_the_start)
{
	for (int i = 0; i < 3; i++) {
		struct wisp_app_status status = behave(&plain, RETURN_SEVEN);

		zassert_equal(status.state, WISP_APP_EXITED);
		zassert_equal(status.exit_status, 7);
	}
	/* Without loading it again. */
	zassert_ok(wisp_app_start(&plain));
	zassert_equal(outcome(&plain).exit_status, 7);
}

ZTEST(lifecycle, test_stopping_ends_a_spinning_app)
{
	NEEDS_PREEMPTION();
	begin(&plain, SPIN);
	k_msleep(20);
	zassert_ok(wisp_app_stop(&plain));
	zassert_equal(outcome(&plain).state, WISP_APP_STOPPED);
	zassert_equal(wisp_app_stop(&plain), -EALREADY);
}

ZTEST(lifecycle, test_stopping_ends_a_sleeping_app)
{
	begin(&plain, SLEEP);
	k_msleep(20);
	zassert_ok(wisp_app_stop(&plain));
	zassert_equal(outcome(&plain).state, WISP_APP_STOPPED);
}

ZTEST(lifecycle, test_stopping_ends_a_sleeping_host_function)
{
	begin(&plain, HOST_SLEEP);
	k_msleep(20);
	zassert_ok(wisp_app_stop(&plain));
	zassert_equal(outcome(&plain).state, WISP_APP_STOPPED);
}

ZTEST(lifecycle, test_stopping_before_the_first_instruction_counts)
{
	NEEDS_PREEMPTION();
	/* The app's thread has no chance to run between the two. */
	k_sched_lock();
	begin(&plain, SPIN);
	zassert_ok(wisp_app_stop(&plain));
	k_sched_unlock();
	zassert_equal(outcome(&plain).state, WISP_APP_STOPPED);
}

static void stop_from_interrupt(struct k_timer *timer)
{
	(void)wisp_app_stop(k_timer_user_data_get(timer));
}

ZTEST(lifecycle, test_an_interrupt_can_stop_an_app)
{
	NEEDS_PREEMPTION();
	static K_TIMER_DEFINE(timer, stop_from_interrupt, NULL);

	k_timer_user_data_set(&timer, (void *)&plain);
	begin(&plain, SPIN);
	k_timer_start(&timer, K_MSEC(20), K_NO_WAIT);
	zassert_equal(outcome(&plain).state, WISP_APP_STOPPED);
}

ZTEST(lifecycle, test_an_app_that_traps_leaves_the_others_running)
{
	struct wisp_app_status status;
	int before;

	begin(FIRST, SPIN_IN_STEPS);
	zassert_equal(behave(SECOND, OUT_OF_BOUNDS).state, WISP_APP_TRAPPED);
	before = atomic_get(&report_count);
	k_msleep(200);
	zassert_true(atomic_get(&report_count) > before + 3);
	wisp_app_status(FIRST, &status);
	zassert_equal(status.state, WISP_APP_RUNNING);
	zassert_ok(wisp_app_stop(FIRST));
	zassert_equal(outcome(FIRST).state, WISP_APP_STOPPED);
}

ZTEST(lifecycle, test_an_app_that_spins_leaves_those_above_it_running)
{
	NEEDS_PREEMPTION();
	/* `second` has the higher priority. */
	begin(FIRST, SPIN);
	begin(SECOND, SPIN_IN_STEPS);
	k_msleep(200);
	zassert_true(atomic_get(&report_count) > 3);
	zassert_ok(wisp_app_stop(FIRST));
	zassert_ok(wisp_app_stop(SECOND));
	zassert_equal(outcome(FIRST).state, WISP_APP_STOPPED);
	zassert_equal(outcome(SECOND).state, WISP_APP_STOPPED);
}

static K_SEM_DEFINE(turns, 0, K_SEM_MAX_LIMIT);

static void take_turns(void *p1, void *p2, void *p3)
{
	ARG_UNUSED(p1);
	ARG_UNUSED(p2);
	ARG_UNUSED(p3);
	for (;;) {
		k_sem_give(&turns);
		k_sleep(K_TICKS(1));
	}
}

static K_THREAD_STACK_DEFINE(turns_stack, 512 + CONFIG_TEST_EXTRA_STACK_SIZE);

ZTEST(lifecycle, test_a_spinning_app_leaves_the_shell_and_the_log_their_time)
{
	NEEDS_PREEMPTION();
	/* With all defaults: `plain` has no node. */
	static struct k_thread thread;

	BUILD_ASSERT(CONFIG_WISP_MAX_RUN_MS != 0);
	BUILD_ASSERT(CONFIG_LOG_PROCESS_THREAD_PRIORITY < CONFIG_WISP_PRIORITY);
	BUILD_ASSERT(CONFIG_WISP_PRIORITY <= K_LOWEST_APPLICATION_THREAD_PRIO);
	begin(&plain, SPIN);
	k_thread_create(&thread, turns_stack, K_THREAD_STACK_SIZEOF(turns_stack), take_turns, NULL,
			NULL, NULL, CONFIG_LOG_PROCESS_THREAD_PRIORITY, 0, K_NO_WAIT);
	for (int turn = 0; turn < 20; turn++) {
		zassert_ok(k_sem_take(&turns, K_SECONDS(60)));
	}
	k_thread_abort(&thread);
	(void)wisp_app_stop(&plain);
	zassert_true(outcome(&plain).state != WISP_APP_EXITED);
}

ZTEST(lifecycle, test_unfinished_output_does_not_keep_an_app_from_stopping)
{
	begin(&plain, PRINT_AND_SLEEP);
	k_msleep(20);
	zassert_ok(wisp_app_stop(&plain));
	zassert_equal(outcome(&plain).state, WISP_APP_STOPPED);
}

ZTEST(lifecycle, test_an_app_whose_thread_was_aborted_can_start_again)
{
	struct wisp_app_status status;

	begin(&plain, SLEEP);
	k_msleep(20);
	k_thread_abort(&plain.data->thread);
	wisp_app_status(&plain, &status);
	zassert_equal(status.state, WISP_APP_FAILED);
	zassert_equal(status.error, -EFAULT);
	zassert_equal(behave(&plain, RETURN_SEVEN).exit_status, 7);
}
