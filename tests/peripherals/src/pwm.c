/* SPDX-License-Identifier: Apache-2.0 */

#include <zephyr/drivers/pwm/pwm_fake.h>
#include <zephyr/ztest.h>

#include "support.h"

ZTEST_SUITE(pwm, NULL, NULL, NULL, NULL, NULL);

/* Pulses in cycles of a microsecond. */
static uint32_t pulses[8];
static int count;

static int set_cycles(const struct device *dev, uint32_t channel, uint32_t period, uint32_t pulse,
		      pwm_flags_t flags)
{
	ARG_UNUSED(dev);
	ARG_UNUSED(flags);
	zassert_equal(channel, 3);
	zassert_equal(period, 20000);
	pulses[count++ % ARRAY_SIZE(pulses)] = pulse;
	/* One pulse that the controller cannot do. */
	return (pulse == 7) ? -ENOTSUP : 0;
}

ZTEST(pwm, test_functions_errors_and_what_is_left_behind)
{
	count = 0;
	fake_pwm_set_cycles_fake.custom_fake = set_cycles;
	begin(FIRST, "pwm");
	succeed(FIRST);
	/* Opened. Set three times. The guest ended with the output active. */
	zassert_equal(count, 5);
	zassert_equal(pulses[0], 0);
	zassert_equal(pulses[1], 20000);
	zassert_equal(pulses[2], 7);
	zassert_equal(pulses[3], 5000);
	zassert_equal(pulses[4], 0);
}
