/* SPDX-License-Identifier: Apache-2.0 */

/* Waits for edges and tells the firmware as soon as it runs. */

#include <stdint.h>
#include <wisp.h>

#define CLOCK(name) __attribute__((import_module("bench:clock@1"), import_name(name)))

CLOCK("woken") void woken(void);

int main(void)
{
	int32_t button = wisp_gpio_open_str("button", WISP_GPIO_INPUT);
	struct wisp_event_event event;

	if (button < 0 || wisp_gpio_watch((uint32_t)button, WISP_GPIO_EDGE_ACTIVE) != 0) {
		return 1;
	}
	for (;;) {
		wisp_event_wait(WISP_EVENT_FOREVER, &event);
		woken();
	}
}
