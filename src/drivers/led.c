/* SPDX-License-Identifier: Apache-2.0 */

#include <zephyr/drivers/led.h>

#include <wisp/wisp.h>

#include "app/grants.h"
#include "border/errno.h"
#include "border/shim.h"

/*
 * Rust passes only indices that a search returned. The check limits the effect of a mistake there.
 */
static const struct wisp_led_grant *granted(const struct wisp_app *app, uint32_t led)
{
	if (app->grants == NULL || led >= app->grants->led_count) {
		return NULL;
	}
	return &app->grants->led[led];
}

int32_t wisp_shim_led_find(const struct wisp_app *app, const uint8_t *label, size_t length)
{
	return (app->grants == NULL) ? -1
				     : wisp_grant_find(app->grants->led, app->grants->led_count,
						       sizeof(app->grants->led[0]), label, length);
}

uint32_t wisp_shim_led_open(const struct wisp_app *app, uint32_t led)
{
	const struct wisp_led_grant *grant = granted(app, led);
	int ret;

	if (grant == NULL || !led_is_ready_dt(&grant->spec)) {
		return WISP_ENODEV;
	}
	if (!wisp_owner_take(grant->owner, grant->spec.dev, grant->spec.index)) {
		return WISP_EBUSY;
	}
	ret = led_set_brightness_dt(&grant->spec, 0);
	if (ret != 0) {
		wisp_owner_release(grant->owner);
	}
	return wisp_driver_error(ret);
}

uint32_t wisp_shim_led_close(const struct wisp_app *app, uint32_t led)
{
	const struct wisp_led_grant *grant = granted(app, led);
	int ret;

	/* The thread that releases the LEDs after a fault asks for all of them. */
	if (grant == NULL || !wisp_owner_has(grant->owner)) {
		return 0;
	}
	ret = led_set_brightness_dt(&grant->spec, 0);
	wisp_owner_release(grant->owner);
	return wisp_driver_error(ret);
}

uint32_t wisp_shim_led_set(const struct wisp_app *app, uint32_t led, uint32_t percent)
{
	const struct wisp_led_grant *grant = granted(app, led);

	if (grant == NULL) {
		return WISP_ENODEV;
	}
	return wisp_driver_error(led_set_brightness_dt(&grant->spec, (uint8_t)percent));
}

uint32_t wisp_shim_led_color(const struct wisp_app *app, uint32_t led, const uint8_t *channels,
			     uint32_t count)
{
	const struct wisp_led_grant *grant = granted(app, led);

	if (grant == NULL) {
		return WISP_ENODEV;
	}
	return wisp_driver_error(
		led_set_color(grant->spec.dev, grant->spec.index, (uint8_t)count, channels));
}

uint32_t wisp_shim_led_blink(const struct wisp_app *app, uint32_t led, uint32_t on, uint32_t off)
{
	const struct wisp_led_grant *grant = granted(app, led);

	if (grant == NULL) {
		return WISP_ENODEV;
	}
	return wisp_driver_error(led_blink(grant->spec.dev, grant->spec.index, on, off));
}
