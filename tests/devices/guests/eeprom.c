/* SPDX-License-Identifier: Apache-2.0 */

#include <stdint.h>
#include <string.h>
#include <wisp.h>

#include "check.h"

static uint8_t bytes[200];

static void refused(uint32_t eeprom)
{
	uint32_t size;

	EXPECT(wisp_eeprom_size(eeprom, &size) == -WISP_EBADF);
	EXPECT(wisp_eeprom_read(eeprom, 0, bytes, 1) == -WISP_EBADF);
	EXPECT(wisp_eeprom_write(eeprom, 0, bytes, 1) == -WISP_EBADF);
	EXPECT(wisp_eeprom_close(eeprom) == -WISP_EBADF);
}

int main(void)
{
	int32_t opened = wisp_eeprom_open_str("store");
	uint32_t store = (uint32_t)opened;
	uint32_t size = 0;

	EXPECT(opened >= 0);
	EXPECT(wisp_eeprom_open_str("other") == -WISP_EACCES);
	refused(7);
	refused(0xffffffff);
	EXPECT(wisp_eeprom_open_str("store") == opened);
	EXPECT(wisp_eeprom_size(store, &size) == 0 && size == 256);
	EXPECT(wisp_eeprom_size(store, NOWHERE) == -WISP_EFAULT);
	/* Across the pieces of the host, up to the last byte. */
	for (unsigned int i = 0; i < sizeof(bytes); i++) {
		bytes[i] = (uint8_t)(i + 1);
	}
	EXPECT(wisp_eeprom_write(store, 56, bytes, sizeof(bytes)) == 0);
	memset(bytes, 0, sizeof(bytes));
	EXPECT(wisp_eeprom_read(store, 56, bytes, sizeof(bytes)) == 0);
	for (unsigned int i = 0; i < sizeof(bytes); i++) {
		EXPECT(bytes[i] == (uint8_t)(i + 1));
	}
	EXPECT(wisp_eeprom_read(store, 55, bytes, 2) == 0 && bytes[0] == 0xff && bytes[1] == 1);
	EXPECT(wisp_eeprom_read(store, 256, bytes, 0) == 0);
	EXPECT(wisp_eeprom_read(store, 256, bytes, 1) == -WISP_ERANGE);
	EXPECT(wisp_eeprom_write(store, 255, bytes, 2) == -WISP_ERANGE);
	EXPECT(wisp_eeprom_write(store, 0xffffffff, bytes, 2) == -WISP_ERANGE);
	EXPECT(wisp_eeprom_read(store, 0, NOWHERE, 1) == -WISP_EFAULT);
	EXPECT(wisp_eeprom_write(store, 0, NOWHERE, 1) == -WISP_EFAULT);
	/* The driver fails when this value is written. */
	bytes[0] = 13;
	EXPECT(wisp_eeprom_write(store, 0, bytes, 1) == -WISP_EIO);
	EXPECT(wisp_eeprom_close(store) == 0);
	refused(store);
	return 0;
}
