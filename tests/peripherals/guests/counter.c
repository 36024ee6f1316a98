/* SPDX-License-Identifier: Apache-2.0 */

#include <stdbool.h>
#include <stdint.h>
#include <wisp.h>

#include "check.h"

#define BOARD(name) __attribute__((import_module("test:board@1"), import_name(name)))

/* Lets the counter count, at once or in so many milliseconds from an interrupt. */
BOARD("count") void count(uint32_t ticks, uint32_t ms);

static struct wisp_event_event event;

static bool nothing(void)
{
	return wisp_event_wait(0, &event) == -WISP_ETIMEDOUT;
}

static bool alarm_of(uint32_t counter)
{
	return wisp_event_wait(WISP_EVENT_FOREVER, &event) == 0 && event.kind == WISP_EVENT_ALARM &&
	       event.source == counter && event.value == 0 && event.lost == 0;
}

static uint32_t ticks_of(uint32_t counter)
{
	uint32_t ticks = 0;

	EXPECT(wisp_counter_read(counter, &ticks) == 0);
	return ticks;
}

static void refused(uint32_t counter)
{
	uint32_t value = 0;

	EXPECT(wisp_counter_frequency(counter, &value) == -WISP_EBADF);
	EXPECT(wisp_counter_top(counter, &value) == -WISP_EBADF);
	EXPECT(wisp_counter_read(counter, &value) == -WISP_EBADF);
	EXPECT(wisp_counter_alarm(counter, 1) == -WISP_EBADF);
	EXPECT(wisp_counter_cancel(counter) == -WISP_EBADF);
	EXPECT(wisp_counter_close(counter) == -WISP_EBADF);
}

static void alarms(uint32_t clock)
{
	uint32_t start = ticks_of(clock);

	EXPECT(wisp_counter_alarm(clock, 0) == -WISP_EINVAL);
	EXPECT(wisp_counter_alarm(clock, 1000) == -WISP_EINVAL);
	EXPECT(wisp_counter_alarm(clock, 5) == 0);
	count(4, 0);
	EXPECT(nothing());
	count(1, 0);
	EXPECT(alarm_of(clock));
	EXPECT((ticks_of(clock) + 1000 - start) % 1000 == 5);
	/* An alarm comes once. */
	count(999, 0);
	EXPECT(nothing());
	/* A new alarm replaces the one before, and drops its event. */
	EXPECT(wisp_counter_alarm(clock, 2) == 0);
	EXPECT(wisp_counter_alarm(clock, 4) == 0);
	count(3, 0);
	EXPECT(nothing());
	count(1, 0);
	EXPECT(wisp_counter_alarm(clock, 7) == 0);
	EXPECT(nothing());
	EXPECT(wisp_counter_cancel(clock) == 0);
	count(50, 0);
	EXPECT(nothing());
	/* From an interrupt, while the app waits. */
	EXPECT(wisp_counter_alarm(clock, 10) == 0);
	count(10, 20);
	EXPECT(alarm_of(clock));
}

int main(void)
{
	int32_t opened = wisp_counter_open_str("clock");
	uint32_t clock = (uint32_t)opened;
	uint32_t value = 0;

	EXPECT(opened >= 0);
	EXPECT(wisp_counter_open_str("battery") == -WISP_EACCES);
	refused(1);
	refused(0xffffffff);
	EXPECT(wisp_counter_frequency(clock, &value) == 0 && value == 100);
	EXPECT(wisp_counter_top(clock, &value) == 0 && value == 999);
	EXPECT(wisp_counter_read(clock, NOWHERE) == -WISP_EFAULT);
	alarms(clock);
	EXPECT(wisp_counter_open_str("clock") == opened);
	/* Left behind: the host cancels it. */
	EXPECT(wisp_counter_alarm(clock, 1) == 0);
	return 0;
}
