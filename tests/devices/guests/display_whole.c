/* SPDX-License-Identifier: Apache-2.0 */

/* All of a display, and Zephyr's display without pixels. */

#include <stdint.h>
#include <wisp.h>

#include "check.h"

int main(void)
{
	static _Alignas(4) uint8_t pixels[320 * 4];
	struct wisp_display_info info = {0};
	int32_t opened = wisp_display_open_str("nothing");
	uint32_t nothing = (uint32_t)opened;

	EXPECT(opened >= 0);
	EXPECT(wisp_display_info(nothing, &info) == 0);
	EXPECT(info.width == 320 && info.height == 240 && info.format == WISP_DISPLAY_ARGB_8888);
	EXPECT(wisp_display_write(nothing, 0, 239, 320, 1, 320, pixels, sizeof(pixels)) == 0);
	/* Rows that are longer than the display reach it without their rest. */
	EXPECT(wisp_display_write(nothing, 319, 239, 1, 1, 320, pixels, sizeof(pixels)) == 0);
	EXPECT(wisp_display_write(nothing, 0, 240, 320, 1, 320, pixels, sizeof(pixels)) ==
	       -WISP_ERANGE);
	EXPECT(wisp_display_set_brightness(nothing, 200) == 0);
	EXPECT(wisp_display_show(nothing, 0) == 0);
	EXPECT(wisp_display_show(nothing, 1) == 0);
	EXPECT(wisp_display_close(nothing) == 0);
	return 0;
}
