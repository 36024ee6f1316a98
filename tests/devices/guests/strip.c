/* SPDX-License-Identifier: Apache-2.0 */

#include <stdint.h>
#include <wisp.h>

#include "check.h"

/* Red, green and blue of an LED. */
BOARD("shows") uint32_t shows(uint32_t led);

static void refused(uint32_t strip)
{
	uint8_t colors[3] = {0};

	EXPECT(wisp_strip_length(strip) == -WISP_EBADF);
	EXPECT(wisp_strip_write(strip, colors, 3) == -WISP_EBADF);
	EXPECT(wisp_strip_close(strip) == -WISP_EBADF);
}

int main(void)
{
	uint8_t colors[15] = {255, 1, 2, 3, 254, 5, 6, 7, 253, 9, 10, 11};
	int32_t opened = wisp_strip_open_str("tape");
	uint32_t tape = (uint32_t)opened;

	EXPECT(opened >= 0);
	EXPECT(wisp_strip_open_str("other") == -WISP_EACCES);
	refused(1);
	refused(0xffffffff);
	EXPECT(wisp_strip_length(tape) == 4);
	EXPECT(wisp_strip_write(tape, colors, 12) == 0);
	EXPECT(shows(0) == 0xff0102 && shows(1) == 0x03fe05 && shows(3) == 0x090a0b);
	/* Only the first two change. */
	colors[0] = 0;
	EXPECT(wisp_strip_write(tape, colors, 6) == 0);
	EXPECT(shows(0) == 0x000102 && shows(1) == 0x03fe05 && shows(3) == 0x090a0b);
	EXPECT(wisp_strip_write(tape, colors, 0) == 0);
	EXPECT(wisp_strip_write(tape, colors, 4) == -WISP_EINVAL);
	EXPECT(wisp_strip_write(tape, colors, 15) == -WISP_ERANGE);
	EXPECT(wisp_strip_write(tape, NOWHERE, 3) == -WISP_EFAULT);
	/* The driver fails at this color. */
	colors[0] = 13;
	EXPECT(wisp_strip_write(tape, colors, 3) == -WISP_EIO);
	EXPECT(wisp_strip_open_str("tape") == opened);
	EXPECT(shows(3) == 0x090a0b);
	/* Left behind: the host lets it go dark. */
	colors[0] = 1;
	EXPECT(wisp_strip_write(tape, colors, 12) == 0);
	return 0;
}
