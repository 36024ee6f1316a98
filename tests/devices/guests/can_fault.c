/* SPDX-License-Identifier: Apache-2.0 */

/* Sends a frame at which the driver faults. */

#include <stdint.h>
#include <wisp.h>

#include "check.h"

int main(void)
{
	static const uint8_t data[] = {1, 2};
	int32_t opened = wisp_can_open_str("stuck");

	EXPECT(opened >= 0);
	(void)wisp_can_send((uint32_t)opened, 0x667, 0, data, 2, WISP_CAN_FOREVER);
	return 1;
}
