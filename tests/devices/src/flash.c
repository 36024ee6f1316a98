/* SPDX-License-Identifier: Apache-2.0 */

/* Flash in RAM, which can be told to be slow. */

#define DT_DRV_COMPAT wisp_test_flash

#include <errno.h>
#include <string.h>

#include <zephyr/drivers/flash.h>
#include <zephyr/kernel.h>
#include <zephyr/ztest.h>

#include "devices.h"

#define NODE        DT_INST_CHILD(0, flash_0)
#define SIZE        DT_REG_SIZE(NODE)
#define ERASE_BLOCK DT_PROP(NODE, erase_block_size)
#define WRITE_BLOCK DT_PROP(NODE, write_block_size)
/* The area of the first app. */
#define BEGIN       DT_REG_ADDR(DT_NODELABEL(first_area))
#define END         (BEGIN + DT_REG_SIZE(DT_NODELABEL(first_area)))

static uint8_t contents[SIZE];
static bool is_slow;
static int erases;

static void before(void *fixture)
{
	ARG_UNUSED(fixture);
	memset(contents, 0x55, sizeof(contents));
	is_slow = false;
	erases = 0;
}

ZTEST_SUITE(flash, NULL, NULL, before, NULL, NULL);

static int read(const struct device *dev, off_t offset, void *data, size_t length)
{
	ARG_UNUSED(dev);
	zassert_true(offset >= 0 && (size_t)offset + length <= SIZE);
	memcpy(data, contents + offset, length);
	return 0;
}

static int write(const struct device *dev, off_t offset, const void *data, size_t length)
{
	const uint8_t *bytes = data;

	ARG_UNUSED(dev);
	zassert_true(offset >= 0 && (size_t)offset + length <= SIZE);
	zassert_true(offset % WRITE_BLOCK == 0 && length % WRITE_BLOCK == 0 && length <= 256);
	zassert_true(IS_PTR_ALIGNED(data, uint32_t));
	if (bytes[0] == 13) {
		return -EIO;
	}
	for (size_t i = 0; i < length; i++) {
		contents[offset + i] &= bytes[i];
	}
	return 0;
}

static int erase(const struct device *dev, off_t offset, size_t length)
{
	ARG_UNUSED(dev);
	zassert_true(offset >= 0 && (size_t)offset + length <= SIZE);
	zassert_true(offset % ERASE_BLOCK == 0 && length == ERASE_BLOCK);
	erases++;
	if (is_slow) {
		k_msleep(200);
	}
	memset(contents + offset, 0xff, length);
	return 0;
}

static const struct flash_parameters *get_parameters(const struct device *dev)
{
	static const struct flash_parameters parameters = {
		.write_block_size = WRITE_BLOCK,
		.erase_value = 0xff,
	};

	ARG_UNUSED(dev);
	return &parameters;
}

static void page_layout(const struct device *dev, const struct flash_pages_layout **layout,
			size_t *layout_size)
{
	static const struct flash_pages_layout pages = {
		.pages_count = SIZE / ERASE_BLOCK,
		.pages_size = ERASE_BLOCK,
	};

	ARG_UNUSED(dev);
	*layout = &pages;
	*layout_size = 1;
}

static DEVICE_API(flash, api) = {
	.read = read,
	.write = write,
	.erase = erase,
	.get_parameters = get_parameters,
	.page_layout = page_layout,
};

DEVICE_DT_INST_DEFINE(0, NULL, NULL, NULL, NULL, POST_KERNEL, CONFIG_FLASH_INIT_PRIORITY, &api);

ZTEST(flash, test_functions_and_errors_stay_inside_the_area)
{
	begin(FIRST, "flash");
	succeed(FIRST);
	for (size_t i = 0; i < SIZE; i++) {
		if (i < BEGIN || i >= END) {
			zassert_equal(contents[i], 0x55, "at %zu", i);
		}
	}
	zassert_equal(contents[BEGIN + 1000], 1);
}

ZTEST(flash, test_a_stop_ends_a_long_erase_between_its_blocks)
{
	is_slow = true;
	begin(FIRST, "slow_flash");
	wait_until_held();
	/* The first block is under way. */
	while (erases == 0) {
		k_msleep(1);
	}
	stop(FIRST);
	zassert_equal(contents[BEGIN], 0xff);
	zassert_equal(contents[END - 1], 0x55, "all blocks were erased");
}

ZTEST(flash, test_zephyrs_simulated_flash)
{
#ifdef CONFIG_BOARD_NATIVE_SIM
	begin(SECOND, "board_flash");
	succeed(SECOND);
#else
	ztest_test_skip();
#endif
}

ZTEST(flash, test_areas_of_the_firmware_and_the_bootloader_are_refused)
{
#if DT_PROP_LEN(DT_PATH(wisp_apps, second), flash_areas) > 1
	begin(SECOND, "firmware_flash");
	succeed(SECOND);
#else
	ztest_test_skip();
#endif
}
