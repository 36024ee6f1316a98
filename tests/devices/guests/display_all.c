/* SPDX-License-Identifier: Apache-2.0 */

/* All of the display in RAM, whose driver does not have the brightness 1. */

#include <stdint.h>
#include <string.h>
#include <wisp.h>

#include "check.h"

BOARD("lit") uint32_t lit(void);

int main(void)
{
	static _Alignas(2) uint8_t pixels[32 * 16 * 2];
	int32_t opened = wisp_display_open_str("whole");
	uint32_t whole = (uint32_t)opened;

	EXPECT(opened >= 0 && lit() == 1);
	memset(pixels, 0xab, sizeof(pixels));
	/* A rectangle of the display that this app has already. */
	EXPECT(wisp_display_open_str("below") == -WISP_EBUSY);
	EXPECT(wisp_display_write(whole, 0, 0, 32, 16, 32, pixels, sizeof(pixels)) == 0);
	EXPECT(wisp_display_show(whole, 0) == 0 && lit() == 0);
	EXPECT(wisp_display_show(whole, 1) == 0 && lit() == 1);
	EXPECT(wisp_display_set_brightness(whole, 7) == 0);
	EXPECT(wisp_display_set_brightness(whole, 1) == -WISP_ENOTSUP);
	EXPECT(wisp_display_close(whole) == 0 && lit() == 0);
	EXPECT(wisp_display_open_str("below") >= 0 && lit() == 1);
	return 0;
}
