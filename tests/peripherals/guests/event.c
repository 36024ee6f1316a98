/* SPDX-License-Identifier: Apache-2.0 */

#include <stdbool.h>
#include <stdint.h>
#include <wisp.h>

#include "check.h"

#define BOARD(name) __attribute__((import_module("test:board@1"), import_name(name)))

BOARD("level") void level(uint32_t pin, uint32_t high);
BOARD("later") void later(uint32_t ms);

static struct wisp_event_event event;

static bool nothing(uint32_t ms)
{
	return wisp_event_wait(ms, &event) == -WISP_ETIMEDOUT;
}

static bool edge(int32_t pin, uint32_t value, uint32_t lost)
{
	return wisp_event_wait(WISP_EVENT_FOREVER, &event) == 0 && event.kind == WISP_EVENT_EDGE &&
	       event.source == (uint32_t)pin && event.value == value && event.lost == lost &&
	       event.time_us <= wisp_timer_uptime_us();
}

static void timers(void)
{
	uint64_t start = wisp_timer_uptime_us();

	EXPECT(nothing(0));
	EXPECT(nothing(10));
	EXPECT(wisp_timer_uptime_us() - start >= 10000);

	EXPECT(wisp_timer_start(4, 1, 0) == -WISP_EINVAL);
	EXPECT(wisp_timer_start(3, 20000, 0) == 0);
	EXPECT(wisp_timer_start(1, 10000, 0) == 0);
	EXPECT(wisp_event_wait(WISP_EVENT_FOREVER, &event) == 0);
	EXPECT(event.kind == WISP_EVENT_TIMER && event.source == 1 && event.value == 1);
	EXPECT(wisp_event_wait(1000, &event) == 0);
	EXPECT(event.kind == WISP_EVENT_TIMER && event.source == 3 && event.value == 1);
	EXPECT(wisp_timer_uptime_us() - event.time_us < 1000000);
	EXPECT(nothing(30));

	/* A slow app hears of many periods at once. */
	EXPECT(wisp_timer_start(0, 10000, 10000) == 0);
	wisp_timer_sleep_ms(55);
	EXPECT(wisp_event_wait(0, &event) == 0 && event.source == 0 && event.value >= 5);
	EXPECT(wisp_timer_cancel(0) == 0);
	EXPECT(nothing(20));
}

static void edges(void)
{
	int32_t button = wisp_gpio_open_str("button", WISP_GPIO_INPUT);
	int32_t inverted = wisp_gpio_open_str("inverted", WISP_GPIO_INPUT);
	int32_t led = wisp_gpio_open_str("led", WISP_GPIO_OUTPUT_INACTIVE);

	EXPECT(button >= 0 && inverted >= 0 && led >= 0);
	EXPECT(wisp_gpio_watch((uint32_t)led, WISP_GPIO_EDGE_BOTH) == -WISP_EPERM);
	EXPECT(wisp_gpio_watch(7, WISP_GPIO_EDGE_BOTH) == -WISP_EBADF);
	EXPECT(wisp_gpio_watch((uint32_t)button, 4) == -WISP_EINVAL);

	level(8, 0);
	level(9, 1);
	EXPECT(wisp_gpio_watch((uint32_t)button, WISP_GPIO_EDGE_ACTIVE) == 0);
	EXPECT(wisp_gpio_watch((uint32_t)inverted, WISP_GPIO_EDGE_BOTH) == 0);
	/* An edge that is watched for, one that is not, and both of a pin that is active low. */
	level(8, 1);
	level(8, 0);
	level(9, 0);
	level(9, 1);
	EXPECT(edge(button, 1, 0));
	EXPECT(edge(inverted, 1, 0));
	EXPECT(edge(inverted, 0, 0));
	EXPECT(nothing(0));

	/* From an interrupt, while the app waits. */
	later(20);
	EXPECT(edge(button, 1, 0));
	level(8, 0);

	/* Eight fit into the queue. */
	for (int i = 0; i < 6; i++) {
		level(9, 0);
		level(9, 1);
	}
	EXPECT(edge(inverted, 1, 4));
	for (uint32_t i = 1; i < 8; i++) {
		EXPECT(edge(inverted, (i + 1) % 2, 0));
	}
	EXPECT(nothing(0));

	/* What a pin told is dropped when it is watched otherwise. What others told stays. */
	level(8, 1);
	level(9, 0);
	EXPECT(wisp_gpio_watch((uint32_t)button, WISP_GPIO_EDGE_NONE) == 0);
	level(8, 0);
	level(8, 1);
	EXPECT(edge(inverted, 1, 0));
	EXPECT(nothing(0));

	/* Timers and edges both get their turn. */
	EXPECT(wisp_timer_start(2, 0, 1) == 0);
	level(9, 1);
	level(9, 0);
	for (int i = 0; i < 4; i++) {
		wisp_timer_sleep_ms(20);
		EXPECT(wisp_event_wait(0, &event) == 0);
		EXPECT(event.kind == ((i % 2 == 0) ? WISP_EVENT_TIMER : WISP_EVENT_EDGE));
	}
	EXPECT(wisp_event_wait(0, NOWHERE) == -WISP_EFAULT);

	/* Left behind for the next run, which must not hear of it. */
	level(9, 1);
	EXPECT(wisp_gpio_watch((uint32_t)button, WISP_GPIO_EDGE_BOTH) == 0);
	level(8, 0);
}

int main(void)
{
	timers();
	edges();
	return 0;
}
