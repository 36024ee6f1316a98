/* SPDX-License-Identifier: Apache-2.0 */

/* Has the counter open, and an alarm set, until it is stopped. */

#include <stdint.h>
#include <wisp.h>

#include "check.h"

#define BOARD(name) __attribute__((import_module("test:board@1"), import_name(name)))

BOARD("holds") void holds(void);

int main(void)
{
	struct wisp_event_event event;
	int32_t opened = wisp_counter_open_str("clock");

	EXPECT(opened >= 0);
	EXPECT(wisp_counter_alarm((uint32_t)opened, 999) == 0);
	holds();
	EXPECT(wisp_event_wait(WISP_EVENT_FOREVER, &event) == 0);
	return 0;
}
