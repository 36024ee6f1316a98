/* SPDX-License-Identifier: Apache-2.0 */

/* Hardware that says of itself what a test wants. */

#include <errno.h>
#include <string.h>

#include <zephyr/drivers/hwinfo.h>
#include <zephyr/ztest.h>

#include "devices.h"

ZTEST_SUITE(hwinfo, NULL, NULL, NULL, NULL, NULL);

static ssize_t id_length = 5;
static int cause_result;

ssize_t z_impl_hwinfo_get_device_id(uint8_t *buffer, size_t length)
{
	static const uint8_t id[] = {0xde, 0xad, 0, 1, 2};

	zassert_true(length >= sizeof(id));
	if (id_length > 0) {
		memcpy(buffer, id, id_length);
	}
	return id_length;
}

int z_impl_hwinfo_get_reset_cause(uint32_t *cause)
{
	*cause = RESET_WATCHDOG | RESET_PIN | BIT(31);
	return cause_result;
}

/*
 * Sets the length of the identifier. A negative number is the result of both calls, and -1 that of
 * Zephyr without a driver.
 */
static uint32_t hardware(struct wisp_caller *caller, uint32_t *slots, const void *env)
{
	int32_t result = (int32_t)slots[0];

	ARG_UNUSED(caller);
	ARG_UNUSED(env);
	id_length = (result == -1) ? -ENOSYS : result;
	cause_result = MIN(id_length, 0);
	return 0;
}
WISP_HOST_FUNCTION_DEFINE("test:board@1", "hardware", "(i)", hardware);

ZTEST(hwinfo, test_functions_and_errors)
{
	begin(FIRST, "hwinfo");
	succeed(FIRST);
}

ZTEST(hwinfo, test_an_app_without_the_properties_learns_nothing)
{
	begin(SECOND, "no_hwinfo");
	succeed(SECOND);
}
