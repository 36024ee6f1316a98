/* SPDX-License-Identifier: Apache-2.0 */

/* The devices are free. */

#include <wisp.h>

#include "check.h"

int main(void)
{
	EXPECT(wisp_led_open_str("shared") >= 0);
	EXPECT(wisp_strip_open_str("shared") >= 0);
	EXPECT(wisp_display_open_str("whole") >= 0);
	EXPECT(wisp_eeprom_open_str("shared") >= 0);
	EXPECT(wisp_flash_open_str("shared") >= 0);
	return 0;
}
