/* SPDX-License-Identifier: Apache-2.0 */

#include <stdint.h>
#include <wisp.h>

#include "check.h"

/* The level of a pin. */
BOARD("pin") int32_t pin(uint32_t number);

static void refused(uint32_t led)
{
	uint8_t channels[3] = {0};

	EXPECT(wisp_led_set(led, 0) == -WISP_EBADF);
	EXPECT(wisp_led_color(led, channels, 3) == -WISP_EBADF);
	EXPECT(wisp_led_blink(led, 1, 1) == -WISP_EBADF);
	EXPECT(wisp_led_close(led) == -WISP_EBADF);
}

/* An LED at a pin, on when the pin is low: it has no brightness, no color, and does not blink. */
static void at_a_pin(void)
{
	uint8_t channels[3] = {1, 2, 3};
	int32_t opened = wisp_led_open_str("lamp");
	uint32_t lamp = (uint32_t)opened;

	EXPECT(opened >= 0);
	EXPECT(pin(4) == 1);
	EXPECT(wisp_led_set(lamp, 1) == 0);
	EXPECT(pin(4) == 0);
	EXPECT(wisp_led_set(lamp, 0) == 0);
	EXPECT(pin(4) == 1);
	EXPECT(wisp_led_color(lamp, channels, 3) == -WISP_ENOTSUP);
	EXPECT(wisp_led_blink(lamp, 100, 100) == -WISP_ENOTSUP);
	EXPECT(wisp_led_set(lamp, WISP_LED_FULL) == 0);
	EXPECT(pin(4) == 0);
	EXPECT(wisp_led_open_str("lamp") == opened);
	EXPECT(pin(4) == 0);
	/* Left behind: the host lets it go dark. */
}

static void at_a_controller(void)
{
	uint8_t channels[9] = {255, 128, 0};
	int32_t opened = wisp_led_open_str("bright");
	uint32_t bright = (uint32_t)opened;

	EXPECT(opened >= 0);
	EXPECT(wisp_led_set(bright, 101) == -WISP_EINVAL);
	EXPECT(wisp_led_set(bright, 256) == -WISP_EINVAL);
	EXPECT(wisp_led_set(bright, 40) == 0);
	EXPECT(wisp_led_set(bright, 0) == 0);
	EXPECT(wisp_led_color(bright, channels, 0) == -WISP_EINVAL);
	EXPECT(wisp_led_color(bright, channels, 2) == -WISP_EINVAL);
	EXPECT(wisp_led_color(bright, channels, 9) == -WISP_EINVAL);
	EXPECT(wisp_led_color(bright, NOWHERE, 3) == -WISP_EFAULT);
	EXPECT(wisp_led_color(bright, channels, 3) == 0);
	EXPECT(wisp_led_blink(bright, 0, 100) == -WISP_EINVAL);
	EXPECT(wisp_led_blink(bright, 100, 60001) == -WISP_EINVAL);
	EXPECT(wisp_led_blink(bright, 100, 60000) == 0);
	EXPECT(wisp_led_set(bright, 100) == 0);
	/* Left behind, too. */
}

int main(void)
{
	int32_t broken = wisp_led_open_str("broken");

	EXPECT(wisp_led_open_str("other") == -WISP_EACCES);
	EXPECT(wisp_led_open(NOWHERE, 5) == -WISP_EFAULT);
	refused(0);
	refused(1);
	refused(0xffffffff);
	EXPECT(broken >= 0);
	EXPECT(wisp_led_set((uint32_t)broken, 50) == -WISP_EIO);
	EXPECT(wisp_led_close((uint32_t)broken) == 0);
	refused((uint32_t)broken);
	at_a_pin();
	at_a_controller();
	return 0;
}
