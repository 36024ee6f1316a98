/* SPDX-License-Identifier: Apache-2.0 */

/* Opens what another app had open, which ended. */

#include <stdint.h>
#include <wisp.h>

#include "check.h"

int main(void)
{
	EXPECT(wisp_gpio_open_str("shared_button", WISP_GPIO_INPUT) >= 0);
	EXPECT(wisp_gpio_watch(0, WISP_GPIO_EDGE_ACTIVE) == 0);
	EXPECT(wisp_uart_open_str("shared_modem") >= 0);
	EXPECT(wisp_counter_open_str("shared_clock") >= 0);
	return 0;
}
