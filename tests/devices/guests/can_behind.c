/* SPDX-License-Identifier: Apache-2.0 */

/* Waits for room in a controller that another app has filled. */

#include <stdint.h>
#include <wisp.h>

#include "check.h"

int main(void)
{
	static const uint8_t data[] = {1, 2};
	int32_t opened = wisp_can_open_str("stuck");

	EXPECT(opened >= 0);
	EXPECT(wisp_can_send((uint32_t)opened, 7, 0, data, 2, WISP_CAN_FOREVER) == 0);
	return 0;
}
