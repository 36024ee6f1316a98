/* SPDX-License-Identifier: Apache-2.0 */

/* A counter of the board, with Zephyr's own driver. */

#include <stdint.h>
#include <wisp.h>

#include "check.h"

int main(void)
{
	int32_t opened = wisp_counter_open_str("board_clock");
	uint32_t clock = (uint32_t)opened;
	uint32_t frequency = 0;
	uint32_t before = 0;
	uint32_t after = 0;
	struct wisp_event_event event;

	EXPECT(opened >= 0);
	EXPECT(wisp_counter_frequency(clock, &frequency) == 0 && frequency > 0);
	EXPECT(wisp_counter_read(clock, &before) == 0);
	EXPECT(wisp_counter_alarm(clock, frequency / 10) == 0);
	EXPECT(wisp_event_wait(WISP_EVENT_FOREVER, &event) == 0);
	EXPECT(event.kind == WISP_EVENT_ALARM && event.source == clock);
	EXPECT(wisp_counter_read(clock, &after) == 0);
	EXPECT(after - before >= frequency / 10);
	EXPECT(wisp_counter_alarm(clock, frequency / 10) == 0);
	EXPECT(wisp_counter_cancel(clock) == 0);
	EXPECT(wisp_event_wait(300, &event) == -WISP_ETIMEDOUT);
	return 0;
}
