/* SPDX-License-Identifier: Apache-2.0 */

#include <zephyr/drivers/adc/adc_emul.h>
#include <zephyr/ztest.h>

#include "support.h"

ZTEST_SUITE(adc, NULL, NULL, NULL, NULL, NULL);

static const struct device *const adc = DEVICE_DT_GET(DT_NODELABEL(test_adc));

ZTEST(adc, test_functions_and_errors)
{
	zassert_ok(adc_emul_const_value_set(adc, 0, 1650));
	zassert_ok(adc_emul_const_value_set(adc, 1, 3300));
	begin(FIRST, "adc");
	succeed(FIRST);
}

/* A driver that fails, each time in another way, and then has a value. */
static int fail(const struct device *dev, unsigned int channel, void *data, uint32_t *millivolts)
{
	static const int errors[] = {-EBUSY, -ETIMEDOUT, -EILSEQ};
	size_t *conversions = data;

	ARG_UNUSED(dev);
	ARG_UNUSED(channel);
	*millivolts = 1650;
	return (*conversions < ARRAY_SIZE(errors)) ? errors[(*conversions)++] : 0;
}

ZTEST(adc, test_errors_of_the_driver_reach_the_guest)
{
	size_t conversions = 0;

	zassert_ok(adc_emul_value_func_set(adc, 0, fail, &conversions));
	begin(FIRST, "adc_errors");
	succeed(FIRST);
	zassert_equal(conversions, 3);
	zassert_ok(adc_emul_const_value_set(adc, 0, 1650));
}

/* A conversion that takes its time. */
static int be_slow(const struct device *dev, unsigned int channel, void *data, uint32_t *millivolts)
{
	ARG_UNUSED(dev);
	ARG_UNUSED(channel);
	k_sem_give(data);
	k_msleep(50);
	*millivolts = 1650;
	return 0;
}

ZTEST(adc, test_an_app_stopped_in_a_conversion_ends_after_it)
{
	struct k_sem began;

	k_sem_init(&began, 0, 1);
	zassert_ok(adc_emul_const_value_set(adc, 1, 3300));
	zassert_ok(adc_emul_value_func_set(adc, 0, be_slow, &began));
	begin(FIRST, "adc");
	zassert_ok(k_sem_take(&began, K_SECONDS(10)));
	stop(FIRST);
	/* The converter is usable again. */
	zassert_ok(adc_emul_const_value_set(adc, 0, 1650));
	begin(FIRST, "adc");
	succeed(FIRST);
}
