/* SPDX-License-Identifier: Apache-2.0 */

/* Fills the only mailbox of a controller, and comes again when the gate opens. */

#include <stdint.h>
#include <wisp.h>

#include "check.h"

BOARD("holds") void holds(void);
BOARD("gate") void gate(void);

int main(void)
{
	static const uint8_t data[] = {1, 2};
	int32_t opened = wisp_can_open_str("stuck");

	EXPECT(opened >= 0);
	EXPECT(wisp_can_send((uint32_t)opened, 1, 0, data, 2, 0) == 0);
	holds();
	gate();
	EXPECT(wisp_can_send((uint32_t)opened, 2, 0, data, 2, WISP_CAN_FOREVER) == 0);
	return 0;
}
