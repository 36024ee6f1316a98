/* SPDX-License-Identifier: Apache-2.0 */

#include <stdint.h>
#include <wisp.h>

#include "check.h"

int main(void)
{
	static const uint8_t data[] = {1, 2};
	int32_t opened = wisp_can_open_str("shared");

	EXPECT(opened >= 0);
	EXPECT(wisp_can_send((uint32_t)opened, 0x321, 0, data, 2, WISP_CAN_FOREVER) == 0);
	return 0;
}
