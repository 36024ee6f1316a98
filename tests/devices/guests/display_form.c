/* SPDX-License-Identifier: Apache-2.0 */

/* The display in RAM with gray pixels, or with alpha. */

#include <stdint.h>
#include <wisp.h>

#include "check.h"

int main(void)
{
	struct wisp_display_info info = {0};
	int32_t opened = wisp_display_open_str("left");
	int32_t narrow = wisp_display_open_str("narrow");

	EXPECT(opened >= 0);
	EXPECT(wisp_display_info((uint32_t)opened, &info) == 0);
	/* It begins at column 2, and gray has 4 columns at an address. */
	if (info.format == WISP_DISPLAY_L_8) {
		EXPECT(narrow == -WISP_ERANGE);
	} else {
		EXPECT(narrow >= 0);
	}
	return 0;
}
