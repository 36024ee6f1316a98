/* SPDX-License-Identifier: Apache-2.0 */

/* An SPI device: Zephyr's emulated BMI160, which takes its register number apart from the data. */

#include <zephyr/ztest.h>

#include "support.h"

ZTEST_SUITE(spi, NULL, NULL, NULL, NULL, NULL);

ZTEST(spi, test_functions_and_errors)
{
	begin(FIRST, "spi");
	succeed(FIRST);
}
