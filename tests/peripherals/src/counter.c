/* SPDX-License-Identifier: Apache-2.0 */

/* A counter from 0 to 999 with one alarm, which counts only when a guest or a test says so. */

#define DT_DRV_COMPAT wisp_test_counter

#include <zephyr/drivers/counter.h>
#include <zephyr/pm/device.h>
#include <zephyr/ztest.h>

#include "support.h"

#define TOP 999

ZTEST_SUITE(counter, NULL, NULL, NULL, NULL, NULL);

static uint32_t ticks;
static uint32_t alarm_in;
static struct counter_alarm_cfg alarm_set;

static bool resumed;

static int act(const struct device *dev, enum pm_device_action action)
{
	ARG_UNUSED(dev);
	resumed = (action == PM_DEVICE_ACTION_RESUME);
	return 0;
}

static int initialize(const struct device *dev)
{
	return pm_device_driver_init(dev, act);
}

static int start(const struct device *dev)
{
	ARG_UNUSED(dev);
	zassert_true(resumed);
	return -EALREADY;
}

static int get_value(const struct device *dev, uint32_t *value)
{
	ARG_UNUSED(dev);
	zassert_true(resumed);
	*value = ticks;
	return 0;
}

static int set_alarm(const struct device *dev, uint8_t channel, const struct counter_alarm_cfg *cfg)
{
	ARG_UNUSED(dev);
	zassert_true(resumed);
	zassert_equal(channel, 0);
	zassert_equal(cfg->flags, 0);
	if (alarm_in != 0) {
		return -EBUSY;
	}
	alarm_set = *cfg;
	alarm_in = cfg->ticks;
	return 0;
}

static int cancel_alarm(const struct device *dev, uint8_t channel)
{
	ARG_UNUSED(dev);
	zassert_true(resumed);
	zassert_equal(channel, 0);
	alarm_in = 0;
	return 0;
}

static uint32_t get_top_value(const struct device *dev)
{
	ARG_UNUSED(dev);
	return TOP;
}

static DEVICE_API(counter, api) = {
	.start = start,
	.get_value = get_value,
	.set_alarm = set_alarm,
	.cancel_alarm = cancel_alarm,
	.get_top_value = get_top_value,
};

static const struct counter_config_info info = {
	.max_top_value = TOP,
	.freq = 100,
	.channels = 1,
	.flags = COUNTER_CONFIG_INFO_COUNT_UP,
};

PM_DEVICE_DT_INST_DEFINE(0, act);
DEVICE_DT_INST_DEFINE(0, initialize, PM_DEVICE_DT_INST_GET(0), NULL, &info, POST_KERNEL,
		      CONFIG_COUNTER_INIT_PRIORITY, &api);

static void advance(uint32_t number)
{
	for (uint32_t i = 0; i < number; i++) {
		ticks = (ticks == TOP) ? 0 : ticks + 1;
		if (alarm_in != 0 && --alarm_in == 0) {
			alarm_set.callback(DEVICE_DT_INST_GET(0), 0, ticks, alarm_set.user_data);
		}
	}
}

static uint32_t ticks_later;

static void count_later(struct k_timer *timer)
{
	ARG_UNUSED(timer);
	advance(ticks_later);
}
static K_TIMER_DEFINE(later, count_later, NULL);

static uint32_t count(struct wisp_caller *caller, uint32_t *slots, const void *env)
{
	ARG_UNUSED(caller);
	ARG_UNUSED(env);
	if (slots[1] == 0) {
		advance(slots[0]);
	} else {
		ticks_later = slots[0];
		k_timer_start(&later, K_MSEC(slots[1]), K_NO_WAIT);
	}
	return 0;
}
WISP_HOST_FUNCTION_DEFINE("test:board@1", "count", "(ii)", count);

ZTEST(counter, test_functions_errors_and_what_is_left_behind)
{
	begin(FIRST, "counter");
	succeed(FIRST);
	zassert_equal(alarm_in, 0, "the alarm of an app that ended is still set");
}

ZTEST(counter, test_a_counter_belongs_to_the_app_that_has_it_open)
{
	begin(FIRST, "hold_counter");
	wait_until_held();
	zassert_equal(alarm_in, 999);
	begin(SECOND, "want_counter");
	succeed(SECOND);
	zassert_equal(alarm_in, 999, "the alarm of the other app was cancelled");
	stop(FIRST);
	zassert_equal(alarm_in, 0);
}

ZTEST(counter, test_a_counter_of_the_board_gives_an_alarm)
{
#if DT_PROP_LEN(DT_PATH(wisp_apps, second), counters) > 1
	begin(SECOND, "board_counter");
	succeed(SECOND);
#else
	ztest_test_skip();
#endif
}
