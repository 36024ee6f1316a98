/* SPDX-License-Identifier: Apache-2.0 */

#include <zephyr/drivers/adc/adc_emul.h>
#include <zephyr/ztest.h>

#include "support.h"

ZTEST_SUITE(adc, NULL, NULL, NULL, NULL, NULL);

ZTEST(adc, test_functions_and_errors)
{
	const struct device *adc = DEVICE_DT_GET(DT_NODELABEL(test_adc));

	zassert_ok(adc_emul_const_value_set(adc, 0, 1650));
	zassert_ok(adc_emul_const_value_set(adc, 1, 3300));
	begin(FIRST, "adc");
	succeed(FIRST);
}
