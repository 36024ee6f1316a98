/* SPDX-License-Identifier: Apache-2.0 */

/* Devices that two apps were granted, and what becomes of them when the app that has them ends. */

#include <errno.h>

#include <zephyr/kernel.h>
#include <zephyr/ztest.h>

#include "devices.h"

ZTEST_SUITE(owner, NULL, NULL, NULL, NULL, NULL);

static void hold(void)
{
	begin(FIRST, "hold");
	wait_until_held();
	zassert_equal(led_brightness(), 70);
	zassert_false(strip_is_dark());
	zassert_equal(display_pixel(8, 0), 0x0102);
}

static void expect_released(void)
{
	zassert_equal(led_brightness(), 0);
	zassert_true(strip_is_dark());
	zassert_equal(display_pixel(8, 0), 0);
	begin(SECOND, "take");
	succeed(SECOND);
}

ZTEST(owner, test_a_device_belongs_to_the_app_that_has_it_open)
{
	hold();
	begin(SECOND, "want");
	succeed(SECOND);
	zassert_equal(led_brightness(), 70, "the LED of the other app was set");
	zassert_false(strip_is_dark(), "the strip of the other app was set");
	zassert_equal(display_pixel(8, 0), 0x0102, "the display of the other app was written");
	stop(FIRST);
	expect_released();
}

ZTEST(owner, test_a_fault_releases_what_the_app_had_open)
{
	struct wisp_app_status status;

	hold();
	/* As Zephyr does when the thread faults. */
	k_thread_abort(&FIRST->data->thread);
	wisp_app_status(FIRST, &status);
	zassert_equal(status.error, -EFAULT);
	/* Its thread releases what was open. */
	zassert_ok(wisp_app_join(FIRST, K_SECONDS(60)));
	expect_released();
}
