/* SPDX-License-Identifier: Apache-2.0 */

/* The smallest configuration does what it is left with: runs, refuses, traps and stops native code.
 */

#include <zephyr/ztest.h>

#include <wisp/host_function.h>
#include <wisp/wisp.h>

#include "../guests/tasks.h"

ZTEST_SUITE(native_minimal, NULL, NULL, NULL, NULL, NULL);

WISP_APP_DEFINE(app, "app", CONFIG_WISP_MEMORY_SIZE);

static enum task chosen;
static uint64_t result;

static uint32_t give_task(struct wisp_caller *caller, uint32_t *slots, const void *env)
{
	ARG_UNUSED(caller);
	ARG_UNUSED(env);
	slots[0] = chosen;
	return 0;
}
WISP_HOST_FUNCTION_DEFINE("test", "task", "()i", give_task);

static uint32_t take_result(struct wisp_caller *caller, uint32_t *slots, const void *env)
{
	ARG_UNUSED(caller);
	ARG_UNUSED(env);
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

static void begin(const char *image, enum task task)
{
	chosen = task;
	zassert_ok(wisp_app_load_embedded(&app, image));
	zassert_ok(wisp_app_start(&app));
}

static struct wisp_app_status outcome(void)
{
	struct wisp_app_status status;

	zassert_ok(wisp_app_join(&app, K_SECONDS(10)));
	wisp_app_status(&app, &status);
	return status;
}

ZTEST(native_minimal, test_an_app_computes_sleeps_and_calls_the_firmware)
{
	uint64_t expected = 0;
	struct wisp_app_status status;

	for (uint32_t i = 1; i <= 100; i++) {
		expected += UINT64_C(0x123456789abcdef) * i % 1000000007;
		expected += (i & 1) ? 3 * i : 2 * i;
	}
	result = 0;
	begin("tasks", COMPUTE);
	status = outcome();
	zassert_equal(status.state, WISP_APP_EXITED, "state %d, error %d, trap %d", status.state,
		      status.error, status.trap);
	zassert_true(status.native);
	zassert_equal(result, expected);
	zassert_true(status.memory_used > 0);
}

ZTEST(native_minimal, test_b_an_app_that_needs_what_is_left_out_is_refused)
{
	struct wisp_app_status status;

	begin("float", COMPUTE);
	status = outcome();
	zassert_equal(status.state, WISP_APP_FAILED);
	zassert_equal(status.error, -ENOTSUP, "error %d", status.error);
}

static void expect_trap(enum task task, enum wisp_trap trap)
{
	struct wisp_app_status status;

	begin("tasks", task);
	status = outcome();
	zassert_equal(status.state, WISP_APP_TRAPPED, "state %d", status.state);
	zassert_equal(status.trap, trap, "trap %d", status.trap);
	zassert_not_equal(status.function, UINT32_MAX);
}

ZTEST(native_minimal, test_c_traps_tell_why_and_where)
{
	expect_trap(OUT_OF_BOUNDS, WISP_TRAP_MEMORY_OUT_OF_BOUNDS);
	expect_trap(WRONG_TYPE, WISP_TRAP_BAD_SIGNATURE);
}

ZTEST(native_minimal, test_d_an_app_is_stopped_wherever_it_is)
{
	static const enum task tasks[] = {SPIN, SLEEP};

	ARRAY_FOR_EACH(tasks, i) {
		begin("tasks", tasks[i]);
		k_sleep(K_MSEC(20));
		zassert_ok(wisp_app_stop(&app));
		zassert_equal(outcome().state, WISP_APP_STOPPED);
	}
}
