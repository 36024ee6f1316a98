/* SPDX-License-Identifier: Apache-2.0 */

/* Keys that report when a guest or a test says so. */

#define DT_DRV_COMPAT wisp_test_keys

#include <zephyr/input/input.h>
#include <zephyr/kernel.h>
#include <zephyr/ztest.h>

#include "devices.h"

ZTEST_SUITE(input, NULL, NULL, NULL, NULL, NULL);

DEVICE_DT_INST_DEFINE(0, NULL, NULL, NULL, NULL, POST_KERNEL, CONFIG_INPUT_INIT_PRIORITY, NULL);

static const struct device *const keys = DEVICE_DT_INST_GET(0);
static uint16_t code_later;
static int32_t value_later;

static void report_later(struct k_timer *timer)
{
	ARG_UNUSED(timer);
	(void)input_report_key(keys, code_later, value_later, true, K_NO_WAIT);
}
static K_TIMER_DEFINE(later, report_later, NULL);

/* The input subsystem has a thread, which is of a higher priority than the apps. */
static uint32_t press(struct wisp_caller *caller, uint32_t *slots, const void *env)
{
	ARG_UNUSED(caller);
	ARG_UNUSED(env);
	if (slots[2] == 0) {
		(void)input_report_key(keys, (uint16_t)slots[0], (int32_t)slots[1], true,
				       K_FOREVER);
	} else {
		code_later = (uint16_t)slots[0];
		value_later = (int32_t)slots[1];
		k_timer_start(&later, K_MSEC(slots[2]), K_NO_WAIT);
	}
	return 0;
}
WISP_HOST_FUNCTION_DEFINE("test:board@1", "press", "(iii)", press);

static uint32_t move(struct wisp_caller *caller, uint32_t *slots, const void *env)
{
	ARG_UNUSED(caller);
	ARG_UNUSED(env);
	(void)input_report_abs(keys, (uint16_t)slots[0], (int32_t)slots[1], false, K_FOREVER);
	return 0;
}
WISP_HOST_FUNCTION_DEFINE("test:board@1", "move", "(ii)", move);

ZTEST(input, test_functions_and_errors)
{
	begin(FIRST, "input");
	succeed(FIRST);
}

ZTEST(input, test_apps_that_share_a_device_hear_the_same_and_a_stop_ends_a_wait)
{
	begin(FIRST, "hear");
	wait_until_held();
	begin(SECOND, "hear");
	wait_until_held();
	zassert_ok(input_report_key(keys, 30, 1, true, K_FOREVER));
	zassert_ok(input_report_key(keys, 30, 0, true, K_FOREVER));
	succeed(FIRST);
	succeed(SECOND);
	begin(FIRST, "hear");
	wait_until_held();
	k_msleep(5);
	stop(FIRST);
}
