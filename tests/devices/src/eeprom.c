/* SPDX-License-Identifier: Apache-2.0 */

/* An EEPROM in RAM, which can be told to be slow. */

#define DT_DRV_COMPAT wisp_test_eeprom

#include <errno.h>
#include <string.h>

#include <zephyr/drivers/eeprom.h>
#include <zephyr/kernel.h>
#include <zephyr/ztest.h>

#include "devices.h"

static uint8_t contents[256];
static bool is_slow;
static int writes;

ZTEST_SUITE(eeprom, NULL, NULL, NULL, NULL, NULL);

static int read(const struct device *dev, off_t offset, void *data, size_t length)
{
	ARG_UNUSED(dev);
	zassert_true(offset >= 0 && (size_t)offset + length <= sizeof(contents));
	memcpy(data, contents + offset, length);
	return 0;
}

static int write(const struct device *dev, off_t offset, const void *data, size_t length)
{
	ARG_UNUSED(dev);
	zassert_true(offset >= 0 && (size_t)offset + length <= sizeof(contents));
	zassert_true(length <= 64);
	writes++;
	if (*(const uint8_t *)data == 13) {
		return -EIO;
	}
	if (is_slow) {
		k_msleep(200);
	}
	memcpy(contents + offset, data, length);
	return 0;
}

static size_t size(const struct device *dev)
{
	ARG_UNUSED(dev);
	return sizeof(contents);
}

static DEVICE_API(eeprom, api) = {
	.read = read,
	.write = write,
	.size = size,
};

DEVICE_DT_INST_DEFINE(0, NULL, NULL, NULL, NULL, POST_KERNEL, CONFIG_EEPROM_INIT_PRIORITY, &api);

ZTEST(eeprom, test_functions_and_errors)
{
	memset(contents, 0xff, sizeof(contents));
	begin(FIRST, "eeprom");
	succeed(FIRST);
}

ZTEST(eeprom, test_a_stop_ends_a_long_write_between_its_pieces)
{
	is_slow = true;
	writes = 0;
	begin(FIRST, "slow_eeprom");
	wait_until_held();
	/* The first piece is under way. */
	while (writes == 0) {
		k_msleep(1);
	}
	stop(FIRST);
	is_slow = false;
	zassert_equal(contents[0], 77);
	zassert_true(writes < 4, "all pieces were written");
}

ZTEST(eeprom, test_zephyrs_simulated_eeprom)
{
#if DT_PROP_LEN(DT_PATH(wisp_apps, second), eeproms) > 1
	begin(SECOND, "board_eeprom");
	succeed(SECOND);
#else
	ztest_test_skip();
#endif
}
