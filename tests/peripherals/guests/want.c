/* SPDX-License-Identifier: Apache-2.0 */

/* Wants what another app has: it gets it when that one has ended, and hears edges then. */

#include <stdint.h>
#include <wisp.h>

#include "check.h"

#define BOARD(name) __attribute__((import_module("test:board@1"), import_name(name)))

BOARD("level") void level(uint32_t pin, uint32_t high);
BOARD("end_other") void end_other(void);

int main(void)
{
	EXPECT(wisp_gpio_open_str("shared_button", WISP_GPIO_INPUT) == -WISP_EBUSY);
	EXPECT(wisp_gpio_open_str("shared_button", WISP_GPIO_OUTPUT_ACTIVE) == -WISP_EBUSY);
	EXPECT(wisp_uart_open_str("shared_modem") == -WISP_EBUSY);
	EXPECT(wisp_uart_available(0) == -WISP_EBADF);
	end_other();

	int32_t pin = wisp_gpio_open_str("shared_button", WISP_GPIO_INPUT);
	struct wisp_event_event event;

	EXPECT(pin >= 0);
	EXPECT(wisp_uart_open_str("shared_modem") >= 0);
	level(8, 0);
	EXPECT(wisp_gpio_watch((uint32_t)pin, WISP_GPIO_EDGE_ACTIVE) == 0);
	level(8, 1);
	EXPECT(wisp_event_wait(0, &event) == 0 && event.kind == WISP_EVENT_EDGE);
	/* Its own pin may be opened again, in another way. */
	EXPECT(wisp_gpio_open_str("shared_button", WISP_GPIO_OUTPUT_INACTIVE) == pin);
	return 0;
}
