/* SPDX-License-Identifier: Apache-2.0 */

/* Writes to Zephyr's simulated flash and reads it back. */

#include <stdint.h>
#include <string.h>
#include <wisp.h>

#include "check.h"

int main(void)
{
	static const uint8_t written[] = "wisp";
	uint8_t bytes[sizeof(written)];
	int32_t opened = wisp_flash_open_str("board");
	uint32_t board = (uint32_t)opened;
	struct wisp_flash_info info = {0};

	EXPECT(opened >= 0);
	EXPECT(wisp_flash_info(board, &info) == 0);
	EXPECT(info.length == 16384 && info.erase_block == 4096 && info.write_block == 1);
	EXPECT(wisp_flash_erase(board, 12288, 4096) == 0);
	EXPECT(wisp_flash_write(board, 16379, written, sizeof(written)) == 0);
	EXPECT(wisp_flash_read(board, 16379, bytes, sizeof(bytes)) == 0);
	EXPECT(memcmp(bytes, written, sizeof(bytes)) == 0);
	/* The simulator refuses what was not erased. */
	EXPECT(wisp_flash_write(board, 16379, written, sizeof(written)) == -WISP_EIO);
	return 0;
}
