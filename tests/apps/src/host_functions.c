/* SPDX-License-Identifier: Apache-2.0 */

/* Host functions written in C. */

#include <string.h>

#include <zephyr/ztest.h>

#include "support.h"

ZTEST_SUITE(host_functions, NULL, NULL, NULL, NULL, NULL);

static int sum_calls;

static uint32_t sum(struct wisp_caller *caller, uint32_t *slots, const void *env)
{
	const uint8_t *bytes = wisp_caller_memory(caller, slots[0], slots[1]);
	uint32_t length = slots[1];
	uint32_t total = *(const uint32_t *)env;

	sum_calls++;
	for (uint32_t i = 0; i < length; i++) {
		total += bytes[i];
	}
	slots[0] = total;
	return 0;
}
static const uint32_t hundred = 100;
WISP_HOST_FUNCTION_ENV_DEFINE("test", "sum", "(*~)i", sum, &hundred);

static uint32_t wide(struct wisp_caller *caller, uint32_t *slots, const void *env)
{
	uint64_t bits = wisp_slot_get64(&slots[3]);
	uint32_t a = slots[0];
	uint64_t b = wisp_slot_get64(&slots[1]);

	ARG_UNUSED(caller);
	ARG_UNUSED(env);
	/* 1.5 as an IEEE 754 double. */
	if (bits != 0x3ff8000000000000) {
		return WISP_TRAP_HOST_ERROR;
	}
	wisp_slot_set64(slots, b + a);
	return 0;
}
WISP_HOST_FUNCTION_DEFINE("test", "wide", "(iIF)I", wide);

static uint32_t fail(struct wisp_caller *caller, uint32_t *slots, const void *env)
{
	ARG_UNUSED(caller);
	ARG_UNUSED(env);
	return slots[0];
}
WISP_HOST_FUNCTION_DEFINE("test", "fail", "(i)", fail);

static uint32_t wait(struct wisp_caller *caller, uint32_t *slots, const void *env)
{
	ARG_UNUSED(slots);
	ARG_UNUSED(env);
	return wisp_caller_sleep(caller, 1000 * USEC_PER_SEC) ? WISP_TRAP_INTERRUPTED : 0;
}
WISP_HOST_FUNCTION_DEFINE("test", "wait", "()", wait);

ZTEST(host_functions, test_wide_arguments_and_results_arrive)
{
	zassert_equal(behave(&plain, WIDE_VALUES).state, WISP_APP_EXITED);
	zassert_equal(reported[0], 0x112233445566778b);
}

ZTEST(host_functions, test_ranges_of_guest_memory_and_the_environment_arrive)
{
	zassert_equal(behave(&plain, SUM_INSIDE).state, WISP_APP_EXITED);
	zassert_equal(reported[0], 115);
}

ZTEST(host_functions, test_an_empty_range_is_a_range)
{
	zassert_equal(behave(&plain, SUM_NOTHING).state, WISP_APP_EXITED);
	zassert_equal(reported[0], 100);
}

ZTEST(host_functions, test_ranges_outside_guest_memory_trap_before_the_call)
{
	static const enum behaviour behaviours[] = {SUM_OUTSIDE, SUM_WRAPPING};

	sum_calls = 0;
	ARRAY_FOR_EACH(behaviours, i) {
		struct wisp_app_status status = behave(&plain, behaviours[i]);

		zassert_equal(status.state, WISP_APP_TRAPPED);
		zassert_equal(status.trap, WISP_TRAP_MEMORY_OUT_OF_BOUNDS);
	}
	zassert_equal(sum_calls, 0);
}
