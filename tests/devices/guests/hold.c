/* SPDX-License-Identifier: Apache-2.0 */

/* Has devices open that the other app was granted, too, until it is stopped. */

#include <stdint.h>
#include <wisp.h>

#include "check.h"

BOARD("holds") void holds(void);

int main(void)
{
	static const uint8_t color[4] __attribute__((aligned(4))) = {1, 2, 3};
	int32_t led = wisp_led_open_str("bright");
	int32_t strip = wisp_strip_open_str("tape");
	int32_t display = wisp_display_open_str("left");
	struct wisp_event_event event;

	EXPECT(led >= 0 && wisp_led_set((uint32_t)led, 70) == 0);
	EXPECT(strip >= 0 && wisp_strip_write((uint32_t)strip, color, 3) == 0);
	EXPECT(display >= 0);
	EXPECT(wisp_display_write((uint32_t)display, 0, 0, 1, 1, 1, color, 2) == 0);
	EXPECT(wisp_eeprom_open_str("store") >= 0);
	EXPECT(wisp_flash_open_str("log") >= 0);
	holds();
	EXPECT(wisp_event_wait(WISP_EVENT_FOREVER, &event) == 0);
	return 0;
}
