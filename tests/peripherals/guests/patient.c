/* SPDX-License-Identifier: Apache-2.0 */

/* Waits at a serial port for longer than an app may compute. */

#include <stdint.h>
#include <wisp.h>

#include "check.h"

int main(void)
{
	uint8_t byte;
	int32_t opened = wisp_uart_open_str("modem");

	EXPECT(opened >= 0);
	EXPECT(wisp_uart_read((uint32_t)opened, &byte, 1, 300) == -WISP_ETIMEDOUT);
	return 0;
}
