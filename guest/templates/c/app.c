/* SPDX-License-Identifier: Apache-2.0 */

#include <stdio.h>
#include <wisp.h>

int main(void)
{
	int32_t led = wisp_gpio_open_str("led", WISP_GPIO_OUTPUT_INACTIVE);

	if (led < 0) {
		fprintf(stderr, "no led: error %d\n", (int)-led);
		return 1;
	}
	puts("blinking");
	for (;;) {
		wisp_gpio_toggle((uint32_t)led);
		wisp_timer_sleep_ms(500);
	}
}
