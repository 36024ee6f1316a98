/* SPDX-License-Identifier: Apache-2.0 */

#include <string.h>

#include <zephyr/drivers/display.h>
#include <zephyr/kernel.h>
#include <zephyr/logging/log.h>
#include <zephyr/sys/util.h>

#include <wisp/wisp.h>

#include "app/deadline.h"
#include "app/fault.h"
#include "app/grants.h"
#include "border/errno.h"
#include "border/shim.h"

LOG_MODULE_DECLARE(wisp, CONFIG_WISP_LOG_LEVEL);

/* How long a wait for the drivers lasts before it looks at the app and at the others. */
#define LOOK_TIME  K_MSEC(20)
/* How long an app that closes a display waits for the drivers. One of them may never return. */
#define CLOSE_TIME K_SECONDS(10)

const uint32_t wisp_display_whole[4];
/* Overlaps with every rectangle of a display. */
static const uint32_t everything[] = {0, 0, UINT32_MAX, UINT32_MAX};

/* Drivers send several commands for a rectangle, and do not keep those of two threads apart. */
static K_MUTEX_DEFINE(busy);

/* Why a driver is called. */
enum purpose {
	/* The app waits, and a stop ends it. */
	PURPOSE_USE,
	/* The app leaves the display, and a stop changes nothing. */
	PURPOSE_CLOSE,
};

/* Waits until no other thread calls a driver. Returns -EAGAIN if that took too long. */
static int lock(const struct wisp_app *app, enum purpose purpose)
{
	const bool closes = purpose == PURPOSE_CLOSE;
	k_timepoint_t end = sys_timepoint_calc(CLOSE_TIME);
	int ret = -EAGAIN;

	if (closes || !app->data->stopping) {
		ret = k_mutex_lock(&busy, K_NO_WAIT);
	}
	while (ret != 0 && (closes ? !sys_timepoint_expired(end) : !app->data->stopping)) {
		/* One that faulted in a driver has left its lock behind. */
		wisp_fault_detect_others(app);
		/* Waiting is no computing. An app that has ended has no limit for that. */
		if (!closes) {
			wisp_deadline_pause(app);
		}
		ret = k_mutex_lock(&busy, LOOK_TIME);
		if (!closes) {
			wisp_deadline_resume(app);
		}
	}
	if (ret != 0) {
		return -EAGAIN;
	}
	/*
	 * The thread that releases what a faulted app had is the same object as the one that has
	 * the lock.
	 */
	while (busy.lock_count > 1) {
		(void)k_mutex_unlock(&busy);
	}
	return 0;
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
	return (grant->area[0] | grant->area[1] | grant->area[2] | grant->area[3]) == 0;
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
	/* Some drivers leave out what is 0. */
	struct display_capabilities capabilities = {0};

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
	const uint32_t bits = DISPLAY_BITS_PER_PIXEL(info->format);
	const bool is_vertical = bits == 1 && (info->layout & SCREEN_INFO_MONO_VTILED) != 0;
	const bool has_full_rows = (info->layout & SCREEN_INFO_X_ALIGNMENT_WIDTH) != 0;
	/* Panels of gray have 2 or 4 pixels at one address. */
	const uint32_t columns = is_vertical ? 1 : bits == 1 ? 8 : bits == 8 ? 4 : 1;
	const uint32_t rows = is_vertical ? 8 : 1;
	const uint32_t *area = grant->area;
	struct display_capabilities capabilities = {0};

	if (bits == 0) {
		return WISP_ENOTSUP;
	}
	if (is_whole(grant)) {
		if (info->width % columns != 0 || info->height % rows != 0) {
			LOG_ERR("display %s has %u x %u pixels, expected multiples of %u x %u",
				grant->device->name, info->width, info->height, columns, rows);
			return WISP_ENOTSUP;
		}
		return 0;
	}
	display_get_capabilities(grant->device, &capabilities);
	if (area[2] == 0 || area[3] == 0 || area[0] > capabilities.x_resolution ||
	    area[2] > capabilities.x_resolution - area[0] || area[1] > capabilities.y_resolution ||
	    area[3] > capabilities.y_resolution - area[1]) {
		LOG_ERR("display %s has %u x %u pixels: the area of \"%s\" is empty or not inside",
			grant->device->name, capabilities.x_resolution, capabilities.y_resolution,
			grant->name);
		return WISP_ERANGE;
	}
	if (has_full_rows && area[2] != capabilities.x_resolution) {
		LOG_ERR("display %s is written by full rows: the area of \"%s\" splits them",
			grant->device->name, grant->name);
		return WISP_ERANGE;
	}
	if ((area[0] | area[2]) % columns != 0 || (area[1] | area[3]) % rows != 0) {
		LOG_ERR("display %s is written by %u columns and %u rows: the area of \"%s\" "
			"splits them",
			grant->device->name, columns, rows, grant->name);
		return WISP_ERANGE;
	}
	return 0;
}

/* Calls the driver, for which the lock is held. */
static int write_locked(const struct wisp_display_grant *grant,
			const struct wisp_display_rectangle *to, const uint8_t *pixels,
			uint32_t length)
{
	struct display_capabilities capabilities = {0};
	struct display_buffer_descriptor descriptor = {
		.buf_size = length,
		.width = (uint16_t)to->width,
		.height = (uint16_t)to->height,
		.pitch = (uint16_t)to->width,
		.frame_incomplete = !to->is_last,
	};
	const uint16_t x = (uint16_t)(grant->area[0] + to->x);
	uint16_t y = (uint16_t)(grant->area[1] + to->y);
	int ret = 0;

	display_get_capabilities(grant->device, &capabilities);
	/*
	 * With pixels of several bytes, some drivers go on to show a whole picture from the memory
	 * of the caller, which is the app's. They copy each part of one.
	 */
	if (DISPLAY_BITS_PER_PIXEL(capabilities.current_pixel_format) > 8 && to->height > 1 &&
	    to->width == capabilities.x_resolution && to->height == capabilities.y_resolution) {
		descriptor.buf_size = length / to->height;
		descriptor.height = 1;
		descriptor.frame_incomplete = true;
		ret = display_write(grant->device, x, y, &descriptor, pixels);
		pixels += descriptor.buf_size;
		y++;
		descriptor.buf_size = length - descriptor.buf_size;
		descriptor.height = (uint16_t)(to->height - 1);
		descriptor.frame_incomplete = !to->is_last;
	}
	return ret != 0 ? ret : display_write(grant->device, x, y, &descriptor, pixels);
}

/* Fills memory with black pixels. */
static void fill_dark(uint32_t format, uint8_t *pixels, size_t size)
{
	const size_t bytes = DISPLAY_BITS_PER_PIXEL(format) / 8;

	memset(pixels, format == PIXEL_FORMAT_MONO10 ? 0xff : 0, size);
	if (format == PIXEL_FORMAT_ARGB_8888 || format == PIXEL_FORMAT_AL_88) {
		/* Their last byte is alpha. Without it, nothing would be seen. */
		for (size_t i = bytes; i <= size; i += bytes) {
			pixels[i - 1] = 0xff;
		}
	}
}

/*
 * Makes black what was granted. Electronic paper keeps its picture, and so does a display that
 * takes longer rows only, or whose driver refuses the rectangles.
 */
static int go_dark(const struct wisp_app *app, const struct wisp_display_grant *grant,
		   enum purpose purpose)
{
	/* Belongs to who holds the lock. */
	static uint8_t dark[CONFIG_WISP_DISPLAY_DARK_SIZE] __aligned(sizeof(uint32_t));
	struct wisp_display_rectangle to = {0};
	struct wisp_display_info info;
	uint32_t columns;
	uint32_t rows = 1;
	uint32_t bits;
	int ret = 0;

	describe(grant, &info);
	bits = DISPLAY_BITS_PER_PIXEL(info.format);
	if (bits == 0 || info.width == 0) {
		return 0;
	}
	/* A byte of bits may have 8 rows, and one panel has 4 rows of gray at one address. */
	if (bits == 8) {
		rows = 4;
	} else if (bits == 1 && (info.layout & SCREEN_INFO_MONO_VTILED) != 0) {
		rows = 8;
	}
	rows = MAX(sizeof(dark) * 8 / (info.width * bits) / rows, 1) * rows;
	columns = sizeof(dark) * 8 / (bits * rows);
	columns = columns < info.width ? columns / 8 * 8 : info.width;
	if ((info.layout & SCREEN_INFO_EPD) != 0 ||
	    ((info.layout & SCREEN_INFO_X_ALIGNMENT_WIDTH) != 0 && columns < info.width)) {
		return 0;
	}
	for (to.y = 0; ret == 0 && to.y < info.height; to.y += to.height) {
		to.height = MIN(rows, info.height - to.y);
		for (to.x = 0; ret == 0 && to.x < info.width; to.x += to.width) {
			to.width = MIN(columns, info.width - to.x);
			to.is_last =
				to.x + to.width == info.width && to.y + to.height == info.height;
			ret = lock(app, purpose);
			if (ret == 0) {
				fill_dark(info.format, dark, sizeof(dark));
				ret = write_locked(grant, &to, dark,
						   to.width * to.height * bits / 8);
				unlock();
			}
		}
	}
	if (ret == -EINVAL || ret == -ENOTSUP) {
		LOG_WRN("display %s cannot be made black by parts (%d): it keeps its picture",
			grant->device->name, ret);
		return 0;
	}
	return ret;
}

static int show(const struct wisp_app *app, const struct wisp_display_grant *grant, bool on,
		enum purpose purpose)
{
	int ret = lock(app, purpose);

	if (ret == 0) {
		ret = on ? display_blanking_off(grant->device) : display_blanking_on(grant->device);
		unlock();
	}
	return ret;
}

static int set_brightness(const struct wisp_app *app, const struct wisp_display_grant *grant,
			  uint8_t brightness, enum purpose purpose)
{
	int ret = lock(app, purpose);

	if (ret == 0) {
		ret = display_set_brightness(grant->device, brightness);
		unlock();
	}
	return ret;
}

/* Returns 0 for what a driver does not have. */
static int if_possible(int ret)
{
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
	if (!wisp_owner_take_area(&grant->display->owner, grant->device,
				  is_whole(grant) ? everything : grant->area)) {
		return WISP_EBUSY;
	}
	ret = go_dark(app, grant, PURPOSE_USE);
	if (ret == 0) {
		ret = if_possible(show(app, grant, true, PURPOSE_USE));
	}
	if (ret != 0) {
		wisp_owner_release(&grant->display->owner);
	}
	return wisp_driver_error(ret);
}

uint32_t wisp_shim_display_close(const struct wisp_app *app, uint32_t display)
{
	const struct wisp_display_grant *grant = granted(app, display);
	int bright = 0;
	int hidden = 0;
	int ret;

	/* The thread that releases the displays after a fault asks for all of them. */
	if (grant == NULL || !wisp_owner_has(&grant->display->owner)) {
		return 0;
	}
	ret = go_dark(app, grant, PURPOSE_CLOSE);
	if (grant->display->is_set) {
		grant->display->is_set = false;
		bright = if_possible(set_brightness(app, grant, UINT8_MAX, PURPOSE_CLOSE));
	}
	if (is_whole(grant)) {
		hidden = if_possible(show(app, grant, false, PURPOSE_CLOSE));
	}
	wisp_owner_release(&grant->display->owner);
	return wisp_driver_error(ret != 0 ? ret : bright != 0 ? bright : hidden);
}

uint32_t wisp_shim_display_write(const struct wisp_app *app, uint32_t display,
				 const struct wisp_display_rectangle *to, const uint8_t *pixels,
				 uint32_t length)
{
	const struct wisp_display_grant *grant = granted(app, display);
	int ret;

	if (grant == NULL) {
		return WISP_ENODEV;
	}
	ret = lock(app, PURPOSE_USE);
	if (ret == 0) {
		ret = write_locked(grant, to, pixels, length);
		unlock();
	}
	return wisp_driver_error(ret);
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
	return wisp_driver_error(show(app, grant, on, PURPOSE_USE));
}

uint32_t wisp_shim_display_brightness(const struct wisp_app *app, uint32_t display,
				      uint8_t brightness)
{
	const struct wisp_display_grant *grant = granted(app, display);

	if (grant == NULL) {
		return WISP_ENODEV;
	}
	if (!is_whole(grant)) {
		return WISP_EACCES;
	}
	/* Before the call, because the app may fault in it. */
	grant->display->is_set = true;
	return wisp_driver_error(set_brightness(app, grant, brightness, PURPOSE_USE));
}
