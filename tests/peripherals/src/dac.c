/* SPDX-License-Identifier: Apache-2.0 */

/* A converter with two outputs that records what is written to it. */

#define DT_DRV_COMPAT wisp_test_dac

#include <zephyr/drivers/dac.h>
#include <zephyr/ztest.h>

#include "support.h"

ZTEST_SUITE(dac, NULL, NULL, NULL, NULL, NULL);

static uint32_t values[8];
static int count;
static int setups;

int dac_written(void)
{
	return count;
}

static int channel_setup(const struct device *dev, const struct dac_channel_cfg *config)
{
	ARG_UNUSED(dev);
	if (config->channel_id > 1) {
		return -ENOTSUP;
	}
	zassert_equal(config->channel_id, 1);
	zassert_equal(config->resolution, 10);
	setups++;
	return 0;
}

static int write_value(const struct device *dev, uint8_t channel, uint32_t value)
{
	ARG_UNUSED(dev);
	zassert_equal(channel, 1);
	values[count++ % ARRAY_SIZE(values)] = value;
	/* One value at which the converter fails. */
	return (value == 13) ? -EIO : 0;
}

static DEVICE_API(dac, api) = {
	.channel_setup = channel_setup,
	.write_value = write_value,
};

DEVICE_DT_INST_DEFINE(0, NULL, NULL, NULL, NULL, POST_KERNEL, CONFIG_DAC_INIT_PRIORITY, &api);

ZTEST(dac, test_functions_errors_and_what_is_left_behind)
{
	static const uint32_t expected[] = {0, 1023, 13, 512, 0};

	count = 0;
	setups = 0;
	begin(FIRST, "dac");
	succeed(FIRST);
	/* Opened, set three times, and set to 0 at the end of the guest. */
	zassert_equal(setups, 1);
	zassert_equal(count, ARRAY_SIZE(expected));
	zassert_mem_equal(values, expected, sizeof(expected));
}
