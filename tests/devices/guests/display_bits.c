/* SPDX-License-Identifier: Apache-2.0 */

/* The same display with pixels of one bit, of which a byte has 8 of a column. */

#include <stdint.h>
#include <wisp.h>

#include "check.h"

int main(void)
{
	static const uint8_t bytes[] = {0x0f, 0xf0, 0x55};
	int32_t opened = wisp_display_open_str("left");
	struct wisp_display_info info = {0};

	EXPECT(opened >= 0);
	/* Its area begins inside a byte. */
	EXPECT(wisp_display_open_str("split") == -WISP_ERANGE);
	EXPECT(wisp_display_info((uint32_t)opened, &info) == 0);
	EXPECT(info.format == WISP_DISPLAY_MONO10 && info.layout == WISP_DISPLAY_VERTICAL);
	EXPECT(wisp_display_write((uint32_t)opened, 2, 0, 3, 8, 3, bytes, 3) == 0);
	EXPECT(wisp_display_write((uint32_t)opened, 2, 4, 3, 4, 3, bytes, 3) == -WISP_EINVAL);
	return 0;
}
