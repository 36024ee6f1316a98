/* SPDX-License-Identifier: Apache-2.0 */

/* Counts in a register of the one device that it has. Another app does so in another device. */

#include <stdint.h>
#include <wisp.h>

#include "check.h"

int main(void)
{
	int32_t device = wisp_i2c_open_str("registers");

	if (device < 0) {
		EXPECT(device == -WISP_EACCES);
		device = wisp_i2c_open_str("imu");
	} else {
		EXPECT(wisp_i2c_open_str("imu") == -WISP_EACCES);
	}
	EXPECT(device >= 0);
	for (uint8_t i = 0; i < 20; i++) {
		uint8_t bytes[2] = {0x10, 0xff};

		EXPECT(wisp_i2c_write_read((uint32_t)device, bytes, 1, &bytes[1], 1) == 0);
		EXPECT(bytes[1] == i);
		bytes[1]++;
		EXPECT(wisp_i2c_write((uint32_t)device, bytes, 2) == 0);
		wisp_timer_sleep_ms(1);
	}
	return 0;
}
