/* SPDX-License-Identifier: Apache-2.0 */

/* Writes to Zephyr's simulated EEPROM and reads it back. */

#include <stdint.h>
#include <string.h>
#include <wisp.h>

#include "check.h"

int main(void)
{
	static const uint8_t written[] = "wisp";
	uint8_t bytes[sizeof(written)];
	int32_t opened = wisp_eeprom_open_str("board");
	uint32_t board = (uint32_t)opened;
	uint32_t size = 0;

	EXPECT(opened >= 0);
	EXPECT(wisp_eeprom_size(board, &size) == 0 && size == 32768);
	EXPECT(wisp_eeprom_write(board, size - sizeof(written), written, sizeof(written)) == 0);
	EXPECT(wisp_eeprom_read(board, size - sizeof(written), bytes, sizeof(bytes)) == 0);
	EXPECT(memcmp(bytes, written, sizeof(bytes)) == 0);
	return 0;
}
