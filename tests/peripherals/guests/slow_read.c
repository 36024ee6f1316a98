/* SPDX-License-Identifier: Apache-2.0 */

#include <stdint.h>
#include <wisp.h>

#include "check.h"

int main(void)
{
	uint8_t slow = 0xf0;
	int32_t device = wisp_i2c_open_str("registers");

	EXPECT(device >= 0);
	wisp_i2c_write((uint32_t)device, &slow, 1);
	/* Never reached: the app was stopped meanwhile. */
	for (;;) {
	}
}
