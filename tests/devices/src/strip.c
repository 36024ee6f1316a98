/* SPDX-License-Identifier: Apache-2.0 */

/* A strip that records the colors, and overwrites what it was given, as some drivers do. */

#define DT_DRV_COMPAT wisp_test_strip

#include <errno.h>
#include <string.h>

#include <zephyr/drivers/led_strip.h>
#include <zephyr/ztest.h>

#include "devices.h"

#define LENGTH DT_INST_PROP(0, chain_length)

ZTEST_SUITE(strip, NULL, NULL, NULL, NULL, NULL);

static struct led_rgb shown[LENGTH];
static int updates;

static int update_rgb(const struct device *dev, struct led_rgb *pixels, size_t count)
{
	ARG_UNUSED(dev);
	zassert_true(count <= LENGTH);
	updates++;
	/* One color at which the driver fails. */
	if (pixels[0].r == 13) {
		return -EIO;
	}
	memcpy(shown, pixels, count * sizeof(shown[0]));
	memset(pixels, 0xee, count * sizeof(pixels[0]));
	return 0;
}

static size_t length(const struct device *dev)
{
	ARG_UNUSED(dev);
	return LENGTH;
}

static DEVICE_API(led_strip, api) = {
	.update_rgb = update_rgb,
	.length = length,
};

DEVICE_DT_INST_DEFINE(0, NULL, NULL, NULL, NULL, POST_KERNEL, CONFIG_LED_STRIP_INIT_PRIORITY, &api);

bool strip_is_dark(void)
{
	for (int i = 0; i < LENGTH; i++) {
		if (shown[i].r != 0 || shown[i].g != 0 || shown[i].b != 0) {
			return false;
		}
	}
	return true;
}

/* Returns red, green and blue of an LED in one number. */
static uint32_t shows(struct wisp_caller *caller, uint32_t *slots, const void *env)
{
	const struct led_rgb *pixel = &shown[slots[0] % LENGTH];

	ARG_UNUSED(caller);
	ARG_UNUSED(env);
	slots[0] = (uint32_t)pixel->r << 16 | (uint32_t)pixel->g << 8 | pixel->b;
	return 0;
}
WISP_HOST_FUNCTION_DEFINE("test:board@1", "shows", "(i)i", shows);

ZTEST(strip, test_functions_errors_and_what_is_left_behind)
{
	updates = 0;
	begin(FIRST, "strip");
	succeed(FIRST);
	/* Dark at first, written four times, and dark at the end. */
	zassert_equal(updates, 6);
	zassert_true(strip_is_dark());
}
