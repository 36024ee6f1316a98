/* SPDX-License-Identifier: Apache-2.0 */

/* Another app has these devices, but not the second LED, nor the rows below its rectangle. */

#include <wisp.h>

#include "check.h"

int main(void)
{
	EXPECT(wisp_led_open_str("shared") == -WISP_EBUSY);
	EXPECT(wisp_led_open_str("other") >= 0);
	EXPECT(wisp_strip_open_str("shared") == -WISP_EBUSY);
	EXPECT(wisp_display_open_str("shared") == -WISP_EBUSY);
	EXPECT(wisp_display_open_str("whole") == -WISP_EBUSY);
	EXPECT(wisp_display_open_str("below") >= 0);
	EXPECT(wisp_eeprom_open_str("shared") == -WISP_EBUSY);
	EXPECT(wisp_flash_open_str("shared") == -WISP_EBUSY);
	return 0;
}
