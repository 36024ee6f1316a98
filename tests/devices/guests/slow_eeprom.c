/* SPDX-License-Identifier: Apache-2.0 */

/* Writes for longer than a test lasts: the chip takes a second for each piece. */

#include <stdint.h>
#include <wisp.h>

#include "check.h"

BOARD("holds") void holds(void);

int main(void)
{
	static uint8_t bytes[256];
	int32_t opened = wisp_eeprom_open_str("store");

	EXPECT(opened >= 0);
	bytes[0] = 77;
	holds();
	EXPECT(wisp_eeprom_write((uint32_t)opened, 0, bytes, sizeof(bytes)) == 0);
	return 0;
}
