/* SPDX-License-Identifier: Apache-2.0 */

#include <string.h>

#include <zephyr/drivers/led_strip.h>
#include <zephyr/sys/util.h>

#include <wisp/wisp.h>

#include "app/grants.h"
#include "border/errno.h"
#include "border/shim.h"

/*
 * Rust passes only indices that a search returned. The check limits the effect of a mistake there.
 */
static const struct wisp_strip_grant *granted(const struct wisp_app *app, uint32_t strip)
{
	if (app->grants == NULL || strip >= app->grants->strip_count) {
		return NULL;
	}
	return &app->grants->strip[strip];
}

int32_t wisp_shim_strip_find(const struct wisp_app *app, const uint8_t *label, size_t length)
{
	return (app->grants == NULL)
		       ? -1
		       : wisp_grant_find(app->grants->strip, app->grants->strip_count,
					 sizeof(app->grants->strip[0]), label, length);
}

static int go_dark(const struct wisp_strip_grant *grant)
{
	memset(grant->pixels, 0, grant->length * sizeof(grant->pixels[0]));
	return led_strip_update_rgb(grant->device, grant->pixels, grant->length);
}

uint32_t wisp_shim_strip_open(const struct wisp_app *app, uint32_t strip)
{
	const struct wisp_strip_grant *grant = granted(app, strip);
	int ret;

	if (grant == NULL || !device_is_ready(grant->device)) {
		return WISP_ENODEV;
	}
	if (!wisp_owner_take(grant->owner, grant->device, 0)) {
		return WISP_EBUSY;
	}
	ret = go_dark(grant);
	if (ret != 0) {
		wisp_owner_release(grant->owner);
	}
	return wisp_driver_error(ret);
}

uint32_t wisp_shim_strip_close(const struct wisp_app *app, uint32_t strip)
{
	const struct wisp_strip_grant *grant = granted(app, strip);
	int ret;

	/* The thread that releases the strips after a fault asks for all of them. */
	if (grant == NULL || !wisp_owner_has(grant->owner)) {
		return 0;
	}
	ret = go_dark(grant);
	wisp_owner_release(grant->owner);
	return wisp_driver_error(ret);
}

uint32_t wisp_shim_strip_length(const struct wisp_app *app, uint32_t strip)
{
	const struct wisp_strip_grant *grant = granted(app, strip);

	return (grant == NULL) ? 0 : grant->length;
}

uint32_t wisp_shim_strip_write(const struct wisp_app *app, uint32_t strip, const uint8_t *colors,
			       uint32_t count)
{
	const struct wisp_strip_grant *grant = granted(app, strip);

	if (grant == NULL) {
		return WISP_ENODEV;
	}
	count = MIN(count, grant->length);
	for (uint32_t i = 0; i < count; i++) {
		grant->pixels[i].r = colors[3 * i];
		grant->pixels[i].g = colors[3 * i + 1];
		grant->pixels[i].b = colors[3 * i + 2];
	}
	return wisp_driver_error(led_strip_update_rgb(grant->device, grant->pixels, count));
}
