/* SPDX-License-Identifier: Apache-2.0 */

#include <string.h>

#include <zephyr/drivers/display.h>
#include <zephyr/kernel.h>
#include <zephyr/logging/log.h>
#include <zephyr/sys/util.h>

#include <wisp/wisp.h>

#include "app/grants.h"
#include "border/errno.h"
#include "border/shim.h"

LOG_MODULE_DECLARE(wisp, CONFIG_WISP_LOG_LEVEL);

/* Bytes of black that are sent at a time. */
#define DARK_SIZE 128

const uint32_t wisp_display_whole[4];
/* Overlaps with every rectangle of a display. */
static const uint32_t everything[] = {0, 0, UINT32_MAX, UINT32_MAX};

/* Drivers send several commands for a rectangle, and do not keep those of two threads apart. */
static K_MUTEX_DEFINE(busy);

static void lock(void)
{
	(void)k_mutex_lock(&busy, K_FOREVER);
	/*
	 * An app that faulted in a driver has left its lock behind. The thread that releases what
	 * the app had is the same object.
	 */
	while (busy.lock_count > 1) {
		(void)k_mutex_unlock(&busy);
	}
}

static void unlock(void)
{
	(void)k_mutex_unlock(&busy);
}

/*
 * Rust passes only indices that a search returned. The check limits the effect of a mistake there.
 */
static const struct wisp_display_grant *granted(const struct wisp_app *app, uint32_t display)
{
	if (app->grants == NULL || display >= app->grants->display_count) {
		return NULL;
	}
	return &app->grants->display[display];
}

static bool is_whole(const struct wisp_display_grant *grant)
{
	return grant->area[2] == 0;
}

int32_t wisp_shim_display_find(const struct wisp_app *app, const uint8_t *label, size_t length)
{
	return (app->grants == NULL)
		       ? -1
		       : wisp_grant_find(app->grants->display, app->grants->display_count,
					 sizeof(app->grants->display[0]), label, length);
}

static void describe(const struct wisp_display_grant *grant, struct wisp_display_info *info)
{
	struct display_capabilities capabilities;

	display_get_capabilities(grant->device, &capabilities);
	info->width = is_whole(grant) ? capabilities.x_resolution : grant->area[2];
	info->height = is_whole(grant) ? capabilities.y_resolution : grant->area[3];
	info->format = capabilities.current_pixel_format;
	info->layout =
		capabilities.screen_info & (SCREEN_INFO_MONO_VTILED | SCREEN_INFO_MONO_MSB_FIRST |
					    SCREEN_INFO_EPD | SCREEN_INFO_X_ALIGNMENT_WIDTH);
}

void wisp_shim_display_info(const struct wisp_app *app, uint32_t display,
			    struct wisp_display_info *info)
{
	const struct wisp_display_grant *grant = granted(app, display);

	if (grant != NULL) {
		describe(grant, info);
	}
}

/* Returns 0 if the granted rectangle is one that the driver takes. */
static uint32_t check_area(const struct wisp_display_grant *grant,
			   const struct wisp_display_info *info)
{
	const bool is_mono = DISPLAY_BITS_PER_PIXEL(info->format) == 1;
	const bool is_vertical = (info->layout & SCREEN_INFO_MONO_VTILED) != 0;
	const uint32_t *area = grant->area;
	struct display_capabilities capabilities;

	if (DISPLAY_BITS_PER_PIXEL(info->format) == 0) {
		return WISP_ENOTSUP;
	}
	if (is_whole(grant)) {
		return 0;
	}
	display_get_capabilities(grant->device, &capabilities);
	if (area[0] > capabilities.x_resolution || area[2] > capabilities.x_resolution - area[0] ||
	    area[1] > capabilities.y_resolution || area[3] > capabilities.y_resolution - area[1]) {
		LOG_ERR("display %s has %u x %u pixels: the area of \"%s\" is not inside",
			grant->device->name, capabilities.x_resolution, capabilities.y_resolution,
			grant->name);
		return WISP_ERANGE;
	}
	if (((info->layout & SCREEN_INFO_X_ALIGNMENT_WIDTH) != 0 &&
	     area[2] != capabilities.x_resolution) ||
	    (is_mono && is_vertical && ((area[1] | area[3]) & 7) != 0) ||
	    (is_mono && !is_vertical && ((area[0] | area[2]) & 7) != 0)) {
		LOG_ERR("display %s is written by %s: the area of \"%s\" splits them",
			grant->device->name,
			(info->layout & SCREEN_INFO_X_ALIGNMENT_WIDTH) != 0 ? "full rows"
			: is_vertical                                       ? "8 rows"
									    : "8 columns",
			grant->name);
		return WISP_ERANGE;
	}
	return 0;
}

static int write_area(const struct wisp_display_grant *grant,
		      const struct wisp_display_rectangle *to, const uint8_t *pixels,
		      uint32_t length)
{
	const struct display_buffer_descriptor descriptor = {
		.buf_size = length,
		.width = (uint16_t)to->width,
		.height = (uint16_t)to->height,
		.pitch = (uint16_t)to->width,
		.frame_incomplete = !to->is_last,
	};

	int ret;

	lock();
	ret = display_write(grant->device, (uint16_t)(grant->area[0] + to->x),
			    (uint16_t)(grant->area[1] + to->y), &descriptor, pixels);
	unlock();
	return ret;
}

/*
 * Makes black what was granted. Electronic paper keeps its picture, and so does a display that
 * takes longer rows only.
 */
static int go_dark(const struct wisp_display_grant *grant)
{
	uint32_t dark[DARK_SIZE / sizeof(uint32_t)];
	struct wisp_display_rectangle to = {0};
	struct wisp_display_info info;
	uint32_t columns;
	uint32_t bits;
	int ret = 0;

	describe(grant, &info);
	to.height = (info.layout & SCREEN_INFO_MONO_VTILED) != 0 &&
				    DISPLAY_BITS_PER_PIXEL(info.format) == 1
			    ? 8
			    : 1;
	bits = DISPLAY_BITS_PER_PIXEL(info.format) * to.height;
	columns = MIN(DARK_SIZE * 8 / bits, info.width);
	if ((info.layout & SCREEN_INFO_EPD) != 0 ||
	    ((info.layout & SCREEN_INFO_X_ALIGNMENT_WIDTH) != 0 && columns < info.width)) {
		return 0;
	}
	memset(dark, info.format == PIXEL_FORMAT_MONO10 ? 0xff : 0, sizeof(dark));
	for (to.y = 0; ret == 0 && to.y + to.height <= info.height; to.y += to.height) {
		for (to.x = 0; ret == 0 && to.x < info.width; to.x += to.width) {
			to.width = MIN(columns, info.width - to.x);
			to.is_last =
				to.x + to.width == info.width && to.y + 2 * to.height > info.height;
			ret = write_area(grant, &to, (const uint8_t *)dark, to.width * bits / 8);
		}
	}
	return ret;
}

static int show(const struct wisp_display_grant *grant, bool on)
{
	int ret;

	lock();
	ret = on ? display_blanking_off(grant->device) : display_blanking_on(grant->device);
	unlock();
	return ret;
}

/* Switches the display on or off, if its driver can. */
static int show_if_possible(const struct wisp_display_grant *grant, bool on)
{
	int ret = show(grant, on);

	return ret == -ENOSYS || ret == -ENOTSUP ? 0 : ret;
}

uint32_t wisp_shim_display_open(const struct wisp_app *app, uint32_t display)
{
	const struct wisp_display_grant *grant = granted(app, display);
	struct wisp_display_info info;
	uint32_t error;
	int ret;

	if (grant == NULL || !device_is_ready(grant->device)) {
		return WISP_ENODEV;
	}
	describe(grant, &info);
	error = check_area(grant, &info);
	if (error != 0) {
		return error;
	}
	if (!wisp_owner_take_area(grant->owner, grant->device,
				  is_whole(grant) ? everything : grant->area)) {
		return WISP_EBUSY;
	}
	ret = go_dark(grant);
	if (ret == 0) {
		ret = show_if_possible(grant, true);
	}
	if (ret != 0) {
		wisp_owner_release(grant->owner);
	}
	return wisp_driver_error(ret);
}

uint32_t wisp_shim_display_close(const struct wisp_app *app, uint32_t display)
{
	const struct wisp_display_grant *grant = granted(app, display);
	int hidden = 0;
	int ret;

	/* The thread that releases the displays after a fault asks for all of them. */
	if (grant == NULL || !wisp_owner_has(grant->owner)) {
		return 0;
	}
	ret = go_dark(grant);
	if (is_whole(grant)) {
		hidden = show_if_possible(grant, false);
	}
	wisp_owner_release(grant->owner);
	return wisp_driver_error(ret != 0 ? ret : hidden);
}

uint32_t wisp_shim_display_write(const struct wisp_app *app, uint32_t display,
				 const struct wisp_display_rectangle *to, const uint8_t *pixels,
				 uint32_t length)
{
	const struct wisp_display_grant *grant = granted(app, display);

	if (grant == NULL) {
		return WISP_ENODEV;
	}
	return wisp_driver_error(write_area(grant, to, pixels, length));
}

uint32_t wisp_shim_display_show(const struct wisp_app *app, uint32_t display, bool on)
{
	const struct wisp_display_grant *grant = granted(app, display);

	if (grant == NULL) {
		return WISP_ENODEV;
	}
	if (!is_whole(grant)) {
		return WISP_EACCES;
	}
	return wisp_driver_error(show(grant, on));
}

uint32_t wisp_shim_display_brightness(const struct wisp_app *app, uint32_t display,
				      uint8_t brightness)
{
	const struct wisp_display_grant *grant = granted(app, display);
	int ret;

	if (grant == NULL) {
		return WISP_ENODEV;
	}
	if (!is_whole(grant)) {
		return WISP_EACCES;
	}
	lock();
	ret = display_set_brightness(grant->device, brightness);
	unlock();
	return wisp_driver_error(ret);
}
