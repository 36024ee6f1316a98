/* SPDX-License-Identifier: Apache-2.0 */

/* Heartbeats, and what is remembered of runs. */

#include <zephyr/task_wdt/task_wdt.h>
#include <zephyr/ztest.h>

#include "support.h"

ZTEST_SUITE(heartbeat, NULL, NULL, NULL, NULL, NULL);

static atomic_t expired;

static void expire(int channel, void *argument)
{
	ARG_UNUSED(channel);
	ARG_UNUSED(argument);
	(void)atomic_inc(&expired);
}

ZTEST(heartbeat, test_a_silent_app_is_ended_and_the_board_is_not)
{
	struct wisp_failure failure;
	uint32_t failures = wisp_failure_count();
	struct wisp_app_status status;
	int64_t start = k_uptime_get();
	int mine;

	begin(CONSUMER, "hung");
	status = ended(CONSUMER);
	zassert_equal(status.state, WISP_APP_TRAPPED);
	zassert_equal(status.trap, WISP_TRAP_INTERRUPTED);
	zassert_between_inclusive(k_uptime_get() - start, 400, 2000);

	zassert_equal(wisp_failure_count(), failures + 1);
	zassert_ok(wisp_failure_get(0, &failure));
	zassert_equal_ptr(failure.app, CONSUMER);
	zassert_equal(failure.status.trap, WISP_TRAP_INTERRUPTED);
	zassert_true(failure.uptime_ms >= start + 400);

	/* The watchdog goes on for others, and has its channel back. */
	(void)atomic_clear(&expired);
	mine = task_wdt_add(100, expire, NULL);
	zassert_true(mine >= 0);
	k_msleep(300);
	zassert_equal(atomic_get(&expired), 1);
	zassert_ok(task_wdt_delete(mine));

	/* It may be started again, and misses again. */
	zassert_ok(wisp_app_start(CONSUMER));
	zassert_equal(ended(CONSUMER).trap, WISP_TRAP_INTERRUPTED);
}

ZTEST(heartbeat, test_an_app_that_gets_on_is_left_alone)
{
	begin(CONSUMER, "beating");
	succeed(CONSUMER);
	/* Nor is it watched when it has ended. */
	k_msleep(600);
	zassert_equal(ended(CONSUMER).state, WISP_APP_EXITED);
}

ZTEST(heartbeat, test_an_app_without_a_limit_may_be_silent)
{
	struct wisp_app_status status;

	begin(SLEEPER, "hung");
	k_msleep(1000);
	wisp_app_status(SLEEPER, &status);
	zassert_equal(status.state, WISP_APP_RUNNING);
	zassert_ok(wisp_app_stop(SLEEPER));
	zassert_equal(ended(SLEEPER).state, WISP_APP_STOPPED);
}

ZTEST(heartbeat, test_what_an_app_used_is_remembered)
{
	struct wisp_app_usage before;
	struct wisp_app_usage after;

	wisp_app_usage(SLEEPER, &before);
	begin(SLEEPER, "beating");
	succeed(SLEEPER);
	wisp_app_usage(SLEEPER, &after);
	zassert_equal(after.runs, before.runs + 1);
	zassert_equal(after.failures, before.failures);
	if (IS_ENABLED(CONFIG_ARCH_POSIX)) {
		zassert_equal(after.stack, 0);
	} else {
		zassert_between_inclusive(after.stack, 200, after.stack_size - 1);
	}
	/* A guest that does not grow takes what it needs, not all there is. */
	zassert_between_inclusive(after.memory, 16, after.memory_size - 1);
	zassert_between_inclusive(after.arena, after.memory, after.arena_size - 1000);
}
