/* SPDX-License-Identifier: Apache-2.0 */

/* An area of 2048 bytes, with erase blocks of 512 bytes and write blocks of 8. */

#include <stdint.h>
#include <string.h>
#include <wisp.h>

#include "check.h"

static uint8_t bytes[800];

static void refused(uint32_t flash)
{
	struct wisp_flash_info info;

	EXPECT(wisp_flash_info(flash, &info) == -WISP_EBADF);
	EXPECT(wisp_flash_read(flash, 0, bytes, 1) == -WISP_EBADF);
	EXPECT(wisp_flash_write(flash, 0, bytes, 8) == -WISP_EBADF);
	EXPECT(wisp_flash_erase(flash, 0, 512) == -WISP_EBADF);
	EXPECT(wisp_flash_close(flash) == -WISP_EBADF);
}

int main(void)
{
	int32_t opened = wisp_flash_open_str("log");
	uint32_t log = (uint32_t)opened;
	struct wisp_flash_info info = {0};

	EXPECT(opened >= 0);
	EXPECT(wisp_flash_open_str("other") == -WISP_EACCES);
	/* Its end is not that of an erase block. */
	EXPECT(wisp_flash_open_str("odd") == -WISP_ENOTSUP);
	refused(7);
	refused(0xffffffff);
	EXPECT(wisp_flash_open_str("log") == opened);
	EXPECT(wisp_flash_info(log, &info) == 0);
	EXPECT(info.length == 2048 && info.erase_block == 512 && info.write_block == 8);
	EXPECT(info.erased == 0xff);
	EXPECT(wisp_flash_info(log, NOWHERE) == -WISP_EFAULT);
	EXPECT(wisp_flash_erase(log, 0, 2048) == 0);
	/* From an odd address, across the pieces of the host, up to the last byte. */
	for (unsigned int i = 0; i < sizeof(bytes); i++) {
		bytes[i] = (uint8_t)i;
	}
	EXPECT(wisp_flash_write(log, 1000, bytes + 1, 792) == 0);
	EXPECT(wisp_flash_write(log, 2040, bytes + 1, 8) == 0);
	memset(bytes, 0, sizeof(bytes));
	EXPECT(wisp_flash_read(log, 999, bytes, 794) == 0);
	EXPECT(bytes[0] == 0xff && bytes[793] == 0xff);
	for (unsigned int i = 1; i < 793; i++) {
		EXPECT(bytes[i] == (uint8_t)i);
	}
	EXPECT(wisp_flash_erase(log, 1536, 512) == 0);
	EXPECT(wisp_flash_read(log, 1535, bytes, 2) == 0 && bytes[0] == 24 && bytes[1] == 0xff);
	EXPECT(wisp_flash_read(log, 2048, bytes, 0) == 0);
	EXPECT(wisp_flash_read(log, 2048, bytes, 1) == -WISP_ERANGE);
	EXPECT(wisp_flash_write(log, 2044, bytes, 8) == -WISP_ERANGE);
	EXPECT(wisp_flash_write(log, 0xfffffff8, bytes, 8) == -WISP_ERANGE);
	EXPECT(wisp_flash_erase(log, 1024, 0xfffffc00) == -WISP_ERANGE);
	EXPECT(wisp_flash_write(log, 4, bytes, 8) == -WISP_EINVAL);
	EXPECT(wisp_flash_write(log, 0, bytes, 7) == -WISP_EINVAL);
	EXPECT(wisp_flash_erase(log, 256, 512) == -WISP_EINVAL);
	EXPECT(wisp_flash_erase(log, 0, 256) == -WISP_EINVAL);
	EXPECT(wisp_flash_read(log, 0, NOWHERE, 1) == -WISP_EFAULT);
	EXPECT(wisp_flash_write(log, 0, NOWHERE, 8) == -WISP_EFAULT);
	/* The driver fails when this value is written. */
	bytes[0] = 13;
	EXPECT(wisp_flash_write(log, 0, bytes, 8) == -WISP_EIO);
	EXPECT(wisp_flash_close(log) == 0);
	refused(log);
	return 0;
}
