/* SPDX-License-Identifier: Apache-2.0 */

#include <stdbool.h>
#include <stdint.h>
#include <wisp.h>

#include "check.h"

/* Lets the keys report, at once or in so many milliseconds. */
BOARD("press") void press(uint32_t code, int32_t value, uint32_t ms);
/* Lets the keys report a position without a sync. */
BOARD("move") void move(uint32_t code, int32_t value);

static struct wisp_input_report report;
static struct wisp_event_event event;

static void refused(uint32_t input)
{
	EXPECT(wisp_input_read(input, 0, &report) == -WISP_EBADF);
	EXPECT(wisp_input_watch(input, 1) == -WISP_EBADF);
	EXPECT(wisp_input_lost(input) == -WISP_EBADF);
	EXPECT(wisp_input_close(input) == -WISP_EBADF);
}

static bool reads(uint32_t keys, uint32_t timeout, uint32_t kind, uint32_t code, int32_t value,
		  uint32_t sync)
{
	return wisp_input_read(keys, timeout, &report) == 0 && report.kind == kind &&
	       report.code == code && (int32_t)report.value == value && report.sync == sync;
}

static bool nothing(uint32_t keys)
{
	return wisp_input_read(keys, 0, &report) == -WISP_ETIMEDOUT;
}

static void events(uint32_t keys)
{
	EXPECT(wisp_input_watch(keys, 1) == 0);
	EXPECT(wisp_event_wait(0, &event) == -WISP_ETIMEDOUT);
	press(30, 1, 0);
	press(30, 0, 0);
	EXPECT(wisp_event_wait(WISP_EVENT_FOREVER, &event) == 0);
	EXPECT(event.kind == WISP_EVENT_INPUT && event.source == keys && event.lost == 0);
	/* One event for both. */
	EXPECT(wisp_event_wait(0, &event) == -WISP_ETIMEDOUT);
	EXPECT(reads(keys, 0, WISP_INPUT_KEY, 30, 1, 1));
	EXPECT(reads(keys, 0, WISP_INPUT_KEY, 30, 0, 1));
	press(31, 1, 20);
	EXPECT(wisp_event_wait(WISP_EVENT_FOREVER, &event) == 0);
	EXPECT(event.kind == WISP_EVENT_INPUT);
	/* What is there already raises an event, too. */
	EXPECT(wisp_input_watch(keys, 1) == 0);
	EXPECT(wisp_event_wait(0, &event) == 0);
	EXPECT(wisp_input_watch(keys, 0) == 0);
	EXPECT(reads(keys, 0, WISP_INPUT_KEY, 31, 1, 1));
	press(31, 0, 0);
	EXPECT(wisp_event_wait(0, &event) == -WISP_ETIMEDOUT);
	EXPECT(reads(keys, 0, WISP_INPUT_KEY, 31, 0, 1));
}

int main(void)
{
	int32_t opened = wisp_input_open_str("keys");
	uint32_t keys = (uint32_t)opened;

	EXPECT(opened >= 0);
	EXPECT(wisp_input_open_str("other") == -WISP_EACCES);
	refused(7);
	refused(0xffffffff);
	EXPECT(nothing(keys));
	EXPECT(wisp_input_read(keys, 5, &report) == -WISP_ETIMEDOUT);
	press(30, 1, 0);
	EXPECT(wisp_input_read(keys, 0, NOWHERE) == -WISP_EFAULT);
	EXPECT(reads(keys, 0, WISP_INPUT_KEY, 30, 1, 1));
	/* From an interrupt, while the app waits. */
	press(30, 0, 20);
	EXPECT(reads(keys, WISP_INPUT_FOREVER, WISP_INPUT_KEY, 30, 0, 1));
	move(1, -70000);
	EXPECT(reads(keys, 0, WISP_INPUT_ABS, 1, -70000, 0));
	events(keys);
	/* The queue holds four. */
	for (uint32_t i = 0; i < 6; i++) {
		press(i, 1, 0);
	}
	EXPECT(wisp_input_lost(keys) == 2);
	EXPECT(wisp_input_lost(keys) == 0);
	for (uint32_t i = 0; i < 4; i++) {
		EXPECT(reads(keys, 0, WISP_INPUT_KEY, i, 1, 1));
	}
	EXPECT(nothing(keys));
	/* Opened once more, it forgets what was reported. */
	press(1, 1, 0);
	EXPECT(wisp_input_open_str("keys") == opened);
	EXPECT(nothing(keys));
	EXPECT(wisp_input_close(keys) == 0);
	refused(keys);
	/* Nobody hears this one. */
	press(1, 0, 0);
	EXPECT(wisp_input_open_str("keys") == opened);
	EXPECT(nothing(keys));
	return 0;
}
