/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Opens a pin, a port and a counter that another app was granted too, sets an output, and keeps all
 * of them until it is stopped.
 */

#include <stdint.h>
#include <wisp.h>

#include "check.h"

int main(void)
{
	int32_t pin = wisp_gpio_open_str("button", WISP_GPIO_INPUT);
	int32_t fan = wisp_pwm_open_str("fan");

	EXPECT(pin >= 0);
	EXPECT(wisp_gpio_watch((uint32_t)pin, WISP_GPIO_EDGE_ACTIVE) == 0);
	EXPECT(wisp_uart_open_str("modem") >= 0);
	EXPECT(wisp_counter_open_str("clock") >= 0);
	EXPECT(fan >= 0 && wisp_pwm_set((uint32_t)fan, 5000000) == 0);
	for (;;) {
		uint8_t byte;

		wisp_uart_read(0, &byte, 1, WISP_UART_FOREVER);
	}
}
