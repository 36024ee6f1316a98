/* SPDX-License-Identifier: Apache-2.0 */

/* Two LEDs that record what is set. The second one fails when it is set to more than 0. */

#define DT_DRV_COMPAT wisp_test_leds

#include <errno.h>

#include <zephyr/drivers/gpio/gpio_emul.h>
#include <zephyr/drivers/led.h>
#include <zephyr/ztest.h>

#include "devices.h"

ZTEST_SUITE(led, NULL, NULL, NULL, NULL, NULL);

static int brightness[2];
static uint8_t color[3];
static uint32_t phases[2];
static int sets;

static int set_brightness(const struct device *dev, uint32_t led, uint8_t value)
{
	ARG_UNUSED(dev);
	zassert_true(led < ARRAY_SIZE(brightness));
	zassert_true(value <= LED_BRIGHTNESS_MAX);
	brightness[led] = value;
	sets++;
	return (led == 1 && value > 0) ? -EIO : 0;
}

static int set_color(const struct device *dev, uint32_t led, uint8_t count, const uint8_t *channels)
{
	ARG_UNUSED(dev);
	zassert_equal(led, 0);
	if (count != sizeof(color)) {
		return -EINVAL;
	}
	memcpy(color, channels, sizeof(color));
	return 0;
}

static int blink(const struct device *dev, uint32_t led, uint32_t on, uint32_t off)
{
	ARG_UNUSED(dev);
	zassert_equal(led, 0);
	phases[0] = on;
	phases[1] = off;
	return 0;
}

static DEVICE_API(led, api) = {
	.set_brightness = set_brightness,
	.set_color = set_color,
	.blink = blink,
};

DEVICE_DT_INST_DEFINE(0, NULL, NULL, NULL, NULL, POST_KERNEL, CONFIG_LED_INIT_PRIORITY, &api);

int led_brightness(void)
{
	return brightness[0];
}

ZTEST(led, test_functions_errors_and_what_is_left_behind)
{
	static const uint8_t expected[] = {255, 128, 0};
	const struct device *port = DEVICE_DT_GET(DT_NODELABEL(test_port));

	sets = 0;
	begin(FIRST, "led");
	succeed(FIRST);
	/* Dark at first, at three brightnesses, and dark at the end. The broken one is opened and
	 * closed. */
	zassert_equal(sets, 1 + 3 + 1 + 3);
	zassert_equal(brightness[0], 0);
	zassert_equal(brightness[1], 0);
	zassert_mem_equal(color, expected, sizeof(expected));
	zassert_equal(phases[0], 100);
	zassert_equal(phases[1], 60000);
	/* Active low. */
	zassert_equal(gpio_emul_output_get(port, 4), 1);
}

static uint32_t pin(struct wisp_caller *caller, uint32_t *slots, const void *env)
{
	ARG_UNUSED(caller);
	ARG_UNUSED(env);
	slots[0] = (uint32_t)gpio_emul_output_get(DEVICE_DT_GET(DT_NODELABEL(test_port)), slots[0]);
	return 0;
}
WISP_HOST_FUNCTION_DEFINE("test:board@1", "pin", "(i)i", pin);
