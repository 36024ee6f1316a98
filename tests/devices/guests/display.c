/* SPDX-License-Identifier: Apache-2.0 */

/* A rectangle of 16 x 8 pixels, of a display in RAM. */

#include <stdint.h>
#include <string.h>
#include <wisp.h>

#include "check.h"

BOARD("snap") void snap(void);

/* Pixels of 2 bytes. */
static _Alignas(2) uint8_t pixels[16 * 8 * 2];

static int32_t write(uint32_t display, uint32_t x, uint32_t y, uint32_t width, uint32_t height,
		     uint32_t pitch)
{
	return wisp_display_write(display, x, y, width, height, pitch, pixels, pitch * height * 2);
}

static void refused(uint32_t display)
{
	struct wisp_display_info info;

	EXPECT(wisp_display_info(display, &info) == -WISP_EBADF);
	EXPECT(write(display, 0, 0, 1, 1, 1) == -WISP_EBADF);
	EXPECT(wisp_display_show(display, 1) == -WISP_EBADF);
	EXPECT(wisp_display_set_brightness(display, 1) == -WISP_EBADF);
	EXPECT(wisp_display_close(display) == -WISP_EBADF);
}

int main(void)
{
	int32_t opened = wisp_display_open_str("left");
	uint32_t left = (uint32_t)opened;
	struct wisp_display_info info = {0};

	EXPECT(opened >= 0);
	EXPECT(wisp_display_open_str("other") == -WISP_EACCES);
	EXPECT(wisp_display_open_str("outside") == -WISP_ERANGE);
	EXPECT(wisp_display_open_str("empty") == -WISP_ERANGE);
	refused(7);
	refused(0xffffffff);
	EXPECT(wisp_display_open_str("left") == opened);
	EXPECT(wisp_display_info(left, &info) == 0);
	EXPECT(info.width == 16 && info.height == 8 && info.format == WISP_DISPLAY_RGB_565);
	EXPECT(info.layout == 0);
	EXPECT(wisp_display_info(left, NOWHERE) == -WISP_EFAULT);
	for (unsigned int i = 0; i < sizeof(pixels); i++) {
		pixels[i] = (uint8_t)(i + 1);
	}
	/* All of it, then two columns of four. */
	EXPECT(write(left, 0, 0, 16, 8, 16) == 0);
	memset(pixels, 0xa5, sizeof(pixels));
	EXPECT(write(left, 1, 2, 2, 3, 4) == 0);
	snap();
	/* Beyond the rectangle, which is not the end of the display. */
	EXPECT(write(left, 15, 0, 2, 1, 2) == -WISP_ERANGE);
	EXPECT(write(left, 0, 8, 1, 1, 1) == -WISP_ERANGE);
	EXPECT(write(left, 0xffffffff, 0, 2, 1, 2) == -WISP_ERANGE);
	EXPECT(write(left, 0, 0xffffffff, 1, 2, 1) == -WISP_ERANGE);
	EXPECT(wisp_display_write(left, 0, 0, 2, 2, 1, pixels, 4) == -WISP_EINVAL);
	EXPECT(wisp_display_write(left, 0, 0, 2, 2, 0x40000000, pixels, 0) == -WISP_EINVAL);
	EXPECT(wisp_display_write(left, 0, 0, 2, 2, 2, pixels, 6) == -WISP_EINVAL);
	EXPECT(wisp_display_write(left, 0, 0, 1, 1, 1, pixels + 1, 2) == -WISP_EINVAL);
	EXPECT(wisp_display_write(left, 0, 0, 1, 1, 1, NOWHERE, 2) == -WISP_EFAULT);
	/* The driver fails for this color. */
	pixels[0] = 13;
	EXPECT(write(left, 0, 0, 1, 1, 1) == -WISP_EIO);
	/* The rest of the display is not this app's. */
	EXPECT(wisp_display_show(left, 0) == -WISP_EACCES);
	EXPECT(wisp_display_set_brightness(left, 0) == -WISP_EACCES);
	EXPECT(wisp_display_set_brightness(left, 256) == -WISP_ERANGE);
	return 0;
}
