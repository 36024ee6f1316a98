/* SPDX-License-Identifier: Apache-2.0 */

/* A display that keeps its pixels in RAM, with pixels of 16 bits or of one. Of others, it checks
 * the writes. */

#define DT_DRV_COMPAT wisp_test_display

#include <errno.h>
#include <string.h>

#include <zephyr/drivers/display.h>
#include <zephyr/kernel.h>
#include <zephyr/sys/byteorder.h>
#include <zephyr/ztest.h>

#include "devices.h"

#define WIDTH  DT_INST_PROP(0, width)
#define HEIGHT DT_INST_PROP(0, height)

static uint16_t shown[HEIGHT][WIDTH];
/* With bits, each of these has 8 pixels of a column. */
static uint8_t tiles[HEIGHT / 8][WIDTH];
static enum display_pixel_format format;
static int height;
static bool is_lit;
static uint8_t brightness;
/* The driver refuses black. */
static bool refuses;
static int writes;
static int incomplete;
static K_SEM_DEFINE(stuck, 0, 1);
static K_SEM_DEFINE(snapped, 0, 1);

static void before(void *fixture)
{
	ARG_UNUSED(fixture);
	format = PIXEL_FORMAT_RGB_565;
	height = HEIGHT;
	is_lit = false;
	brightness = UINT8_MAX;
	refuses = false;
	k_sem_reset(&snapped);
	writes = 0;
	incomplete = 0;
	memset(shown, 0xee, sizeof(shown));
	memset(tiles, 0xee, sizeof(tiles));
}

ZTEST_SUITE(display, NULL, NULL, before, NULL, NULL);

static int write(const struct device *dev, const uint16_t x, const uint16_t y,
		 const struct display_buffer_descriptor *desc, const void *buf)
{
	const uint8_t *bytes = buf;
	bool has_bits = format == PIXEL_FORMAT_MONO10;
	int rows = has_bits ? 8 : 1;

	ARG_UNUSED(dev);
	writes++;
	incomplete += desc->frame_incomplete ? 1 : 0;
	zassert_equal(desc->pitch, desc->width);
	zassert_true(x + desc->width <= WIDTH && y + desc->height <= HEIGHT);
	zassert_true(desc->width > 0 && desc->height > 0);
	zassert_equal(desc->buf_size,
		      desc->width * desc->height * DISPLAY_BITS_PER_PIXEL(format) / 8);
	zassert_true(y % rows == 0 && desc->height % rows == 0);
	if (format == PIXEL_FORMAT_L_8) {
		/* The driver of st75256 takes whole tiles of 4 by 4 pixels. */
		zassert_true(x % 4 == 0 && desc->width % 4 == 0);
		zassert_true(y % 4 == 0 && desc->height % 4 == 0);
		return 0;
	}
	if (format == PIXEL_FORMAT_ARGB_8888) {
		zassert_equal(sys_get_le32(bytes), 0xff000000);
		zassert_equal(sys_get_le32(bytes + desc->buf_size - 4), 0xff000000);
		return 0;
	}
	/* Some drivers go on to read such a write when the call has returned. */
	zassert_false(!has_bits && desc->width == WIDTH && desc->height == HEIGHT);
	if (refuses && bytes[0] == 0) {
		return -ENOTSUP;
	}
	if (!has_bits && bytes[0] == 13) {
		return -EIO;
	}
	if (!has_bits && bytes[0] == 14) {
		k_sem_give(&stuck);
		k_sleep(K_FOREVER);
	}
	for (int row = y; row < y + desc->height; row += rows) {
		for (int column = x; column < x + desc->width; column++) {
			if (has_bits) {
				tiles[row / 8][column] = *bytes++;
			} else {
				shown[row][column] = sys_get_be16(bytes);
				bytes += 2;
			}
		}
	}
	return 0;
}

static int blanking_on(const struct device *dev)
{
	ARG_UNUSED(dev);
	is_lit = false;
	return 0;
}

static int blanking_off(const struct device *dev)
{
	ARG_UNUSED(dev);
	is_lit = true;
	return 0;
}

static int set_brightness(const struct device *dev, const uint8_t level)
{
	ARG_UNUSED(dev);
	if (level == 1) {
		return -ENOSYS;
	}
	brightness = level;
	return 0;
}

static void get_capabilities(const struct device *dev, struct display_capabilities *capabilities)
{
	ARG_UNUSED(dev);
	memset(capabilities, 0, sizeof(*capabilities));
	capabilities->x_resolution = WIDTH;
	capabilities->y_resolution = height;
	capabilities->current_pixel_format = format;
	capabilities->screen_info = format == PIXEL_FORMAT_MONO10 ? SCREEN_INFO_MONO_VTILED : 0;
}

static DEVICE_API(display, api) = {
	.write = write,
	.blanking_on = blanking_on,
	.blanking_off = blanking_off,
	.set_brightness = set_brightness,
	.get_capabilities = get_capabilities,
};

DEVICE_DT_INST_DEFINE(0, NULL, NULL, NULL, NULL, POST_KERNEL, CONFIG_DISPLAY_INIT_PRIORITY, &api);

uint16_t display_pixel(uint32_t x, uint32_t y)
{
	return shown[y][x];
}

static uint32_t lit(struct wisp_caller *caller, uint32_t *slots, const void *env)
{
	ARG_UNUSED(caller);
	ARG_UNUSED(env);
	slots[0] = is_lit ? 1 : 0;
	return 0;
}
WISP_HOST_FUNCTION_DEFINE("test:board@1", "lit", "()i", lit);

/* Every pixel outside of the first app's rectangle is as it was, and every one inside is the given
 * one. */
static void expect_rectangle(uint16_t inside)
{
	for (int y = 0; y < HEIGHT; y++) {
		for (int x = 0; x < WIDTH; x++) {
			bool is_inside = x >= 8 && x < 24 && y < 8;

			zassert_equal(shown[y][x], is_inside ? inside : 0xeeee, "at %d, %d", x, y);
		}
	}
}

/* The picture at the time when the guest asked for it. */
static uint16_t snapshot[HEIGHT][WIDTH];

static uint32_t snap(struct wisp_caller *caller, uint32_t *slots, const void *env)
{
	ARG_UNUSED(caller);
	ARG_UNUSED(slots);
	ARG_UNUSED(env);
	memcpy(snapshot, shown, sizeof(shown));
	k_sem_give(&snapped);
	return 0;
}
WISP_HOST_FUNCTION_DEFINE("test:board@1", "snap", "()", snap);

ZTEST(display, test_functions_errors_and_what_is_left_behind)
{
	begin(FIRST, "display");
	succeed(FIRST);
	for (int y = 0; y < 8; y++) {
		for (int x = 0; x < 16; x++) {
			bool later = x >= 1 && x < 3 && y >= 2 && y < 5;
			int first = 2 * (16 * y + x) + 1;
			uint16_t pixel = (uint16_t)((first & 0xff) << 8 | ((first + 1) & 0xff));

			zassert_equal(snapshot[y][8 + x], later ? 0xa5a5 : pixel, "at %d, %d", x,
				      y);
		}
	}
	/*
	 * Dark at first and at the end: twice 4 rows each. All of it, three rows, and the one that
	 * fails.
	 */
	zassert_equal(writes, 2 + 1 + 3 + 1 + 2);
	zassert_equal(incomplete, 1 + 2 + 1);
	expect_rectangle(0);
	zassert_true(is_lit, "an app with a part has switched the display off");
}

ZTEST(display, test_bits_are_dark_where_they_are_1)
{
	format = PIXEL_FORMAT_MONO10;
	begin(FIRST, "display_bits");
	succeed(FIRST);
	for (int x = 0; x < WIDTH; x++) {
		zassert_equal(tiles[0][x], x >= 8 && x < 24 ? 0xff : 0xee, "at %d", x);
		zassert_equal(tiles[1][x], 0xee);
	}
	zassert_equal(writes, 3);
}

ZTEST(display, test_a_whole_display_is_switched_on_and_off)
{
	begin(SECOND, "display_all");
	succeed(SECOND);
	zassert_equal(shown[15][31], 0);
	zassert_equal(brightness, UINT8_MAX, "the next app's display is dim");
}

ZTEST(display, test_a_driver_that_refuses_to_make_parts_black_serves_apps)
{
	refuses = true;
	begin(SECOND, "display_all");
	succeed(SECOND);
	zassert_equal(shown[0][0], 0xabab);
	zassert_equal(shown[15][31], 0xabab);
}

ZTEST(display, test_gray_is_written_by_four_columns)
{
	format = PIXEL_FORMAT_L_8;
	begin(FIRST, "display_form");
	succeed(FIRST);
	zassert_equal(writes, 2);
}

ZTEST(display, test_black_with_alpha_hides_what_is_below)
{
	format = PIXEL_FORMAT_ARGB_8888;
	begin(FIRST, "display_form");
	succeed(FIRST);
	zassert_true(writes > 0);
}

ZTEST(display, test_a_display_that_bytes_of_bits_do_not_fill_is_refused)
{
	format = PIXEL_FORMAT_MONO10;
	height = 12;
	begin(SECOND, "display_odd");
	succeed(SECOND);
	zassert_equal(writes, 0);
}

ZTEST(display, test_zephyrs_display_without_pixels)
{
	begin(FIRST, "display_whole");
	succeed(FIRST);
}

ZTEST(display, test_a_fault_inside_the_driver_leaves_displays_to_other_apps)
{
	struct wisp_app_status status;

	begin(FIRST, "display_stuck");
	zassert_ok(k_sem_take(&stuck, K_SECONDS(30)));
	/* As Zephyr does when the thread faults. */
	k_thread_abort(&FIRST->data->thread);
	wisp_app_status(FIRST, &status);
	zassert_equal(status.error, -EFAULT);
	zassert_ok(wisp_app_join(FIRST, K_SECONDS(60)));
	begin(SECOND, "display_all");
	succeed(SECOND);
}

ZTEST(display, test_an_app_that_waits_for_a_driver_notices_the_fault_of_another)
{
	begin(FIRST, "display_stuck");
	zassert_ok(k_sem_take(&stuck, K_SECONDS(30)));
	begin(SECOND, "display_wait");
	zassert_ok(k_sem_take(&snapped, K_SECONDS(30)));
	/* As Zephyr does when the thread faults. Nobody asks for the state of the app. */
	k_thread_abort(&FIRST->data->thread);
	succeed(SECOND);
	zassert_ok(wisp_app_join(FIRST, K_SECONDS(60)));
}

ZTEST(display, test_a_stop_ends_a_wait_for_a_driver)
{
	struct wisp_app_status status;

	begin(FIRST, "display_stuck");
	zassert_ok(k_sem_take(&stuck, K_SECONDS(30)));
	begin(SECOND, "display_wait");
	zassert_ok(k_sem_take(&snapped, K_SECONDS(30)));
	/* Most of the time, the app waits by then. If it does not, it is stopped before. */
	k_msleep(100);
	stop(SECOND);
	k_thread_abort(&FIRST->data->thread);
	wisp_app_status(FIRST, &status);
	zassert_ok(wisp_app_join(FIRST, K_SECONDS(60)));
}
