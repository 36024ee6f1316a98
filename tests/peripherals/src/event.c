/* SPDX-License-Identifier: Apache-2.0 */

/* Events: timers, edges from interrupts, overflow, waiting apps that are stopped. */

#include <zephyr/drivers/gpio/gpio_emul.h>
#include <zephyr/ztest.h>

#include "support.h"

ZTEST_SUITE(event, NULL, NULL, NULL, NULL, NULL);

static const struct device *const port = DEVICE_DT_GET(DT_NODELABEL(test_port));

static void press(struct k_timer *timer)
{
	ARG_UNUSED(timer);
	(void)gpio_emul_input_set(port, 8, 1);
}
static K_TIMER_DEFINE(press_later, press, NULL);

/* Sets a pin's voltage at once. */
static uint32_t level(struct wisp_caller *caller, uint32_t *slots, const void *env)
{
	ARG_UNUSED(caller);
	ARG_UNUSED(env);
	zassert_ok(gpio_emul_input_set(port, (gpio_pin_t)slots[0], (int)slots[1]));
	return 0;
}
WISP_HOST_FUNCTION_DEFINE("test:board@1", "level", "(ii)", level);

/* Raises pin 8 in so many milliseconds, from a timer's interrupt. */
static uint32_t later(struct wisp_caller *caller, uint32_t *slots, const void *env)
{
	ARG_UNUSED(caller);
	ARG_UNUSED(env);
	k_timer_start(&press_later, K_MSEC(slots[0]), K_NO_WAIT);
	return 0;
}
WISP_HOST_FUNCTION_DEFINE("test:board@1", "later", "(i)", later);

ZTEST(event, test_timers_edges_and_overflow)
{
	begin(FIRST, "event");
	succeed(FIRST);
}

ZTEST(event, test_a_run_hears_nothing_of_the_one_before)
{
	/* The guest leaves events behind and pins watched. */
	begin(FIRST, "event");
	succeed(FIRST);
	begin(FIRST, "event");
	succeed(FIRST);
}

ZTEST(event, test_waiting_apps_are_stopped_with_and_without_a_queue)
{
	begin(FIRST, "wait_forever");
	k_msleep(20);
	stop(FIRST);
	begin(SECOND, "wait_forever");
	k_msleep(20);
	stop(SECOND);
}

ZTEST(event, test_the_cpu_idles_while_apps_wait)
{
	k_thread_runtime_stats_t before;
	k_thread_runtime_stats_t after;

	begin(FIRST, "wait_forever");
	begin(SECOND, "wait_forever");
	k_msleep(20);
	zassert_ok(k_thread_runtime_stats_get(&FIRST->data->thread, &before));
	k_msleep(100);
	zassert_ok(k_thread_runtime_stats_get(&FIRST->data->thread, &after));
	zassert_equal(after.execution_cycles, before.execution_cycles);
	stop(FIRST);
	stop(SECOND);
}
