/* SPDX-License-Identifier: Apache-2.0 */

/* Waits for a frame that another app sends. */

#include <stdint.h>
#include <wisp.h>

#include "check.h"

BOARD("holds") void holds(void);

int main(void)
{
	struct wisp_can_frame frame;
	int32_t opened = wisp_can_open_str("bus");

	EXPECT(opened >= 0);
	EXPECT(wisp_can_filter((uint32_t)opened, 0x321, 0x7ff, 0) == 0);
	holds();
	EXPECT(wisp_can_receive((uint32_t)opened, WISP_CAN_FOREVER, &frame) == 0);
	EXPECT(frame.id == 0x321 && frame.length == 2 && frame.data == 0x0201);
	return 0;
}
