/* SPDX-License-Identifier: Apache-2.0 */

/* Sends more than port and host hold, to nobody who takes it. */

#include <stdint.h>
#include <string.h>
#include <wisp.h>

#include "check.h"

int main(void)
{
	static char bytes[40];
	int32_t opened = wisp_uart_open_str("modem");

	EXPECT(opened >= 0);
	memset(bytes, 'x', sizeof(bytes));
	for (;;) {
		EXPECT(wisp_uart_write((uint32_t)opened, bytes, sizeof(bytes), WISP_UART_FOREVER) >
		       0);
	}
}
