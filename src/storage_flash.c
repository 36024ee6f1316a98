/* SPDX-License-Identifier: Apache-2.0 */

/* The wisp_storage partition: reading, writing, erasing, and where it is mapped. */

#include <zephyr/drivers/flash.h>
#include <zephyr/logging/log.h>
#include <zephyr/storage/flash_map.h>
#ifdef CONFIG_FLASH_SIMULATOR
#include <zephyr/drivers/flash/flash_simulator.h>
#endif

#include "storage.h"

LOG_MODULE_DECLARE(wisp, CONFIG_WISP_LOG_LEVEL);

#define PARTITION wisp_storage

BUILD_ASSERT(FIXED_PARTITION_EXISTS(PARTITION),
	     "CONFIG_WISP_STORAGE needs a fixed partition with the node label wisp_storage");

static const struct flash_area *area;
static struct wisp_flash_geometry geometry;

int wisp_storage_flash_open(const uint8_t **map)
{
	const struct flash_parameters *parameters;
	struct flash_pages_info page;
	const struct device *flash;
	int ret;

	ret = flash_area_open(FIXED_PARTITION_ID(PARTITION), &area);
	if (ret != 0) {
		return ret;
	}
	flash = flash_area_get_device(area);
	if (!device_is_ready(flash)) {
		return -ENODEV;
	}
	ret = flash_get_page_info_by_offs(flash, area->fa_off, &page);
	if (ret != 0) {
		return ret;
	}
	parameters = flash_get_parameters(flash);
	geometry.size = area->fa_size;
	geometry.erase_block = page.size;
	geometry.write_block = MAX(parameters->write_block_size, 1);
	geometry.erased = parameters->erase_value;

#ifdef CONFIG_FLASH_SIMULATOR
	size_t size;

	*map = (const uint8_t *)flash_simulator_get_memory(flash, &size) + area->fa_off;
#else
	*map = (const uint8_t *)(uintptr_t)(DT_REG_ADDR(DT_MTD_FROM_FIXED_PARTITION(
						   DT_NODELABEL(PARTITION))) +
					   area->fa_off);
#endif
	if (!IS_PTR_ALIGNED(*map, uint64_t)) {
		LOG_ERR("partition wisp_storage is mapped at %p, which is not a multiple of 8",
			(const void *)*map);
		return -EINVAL;
	}
	return 0;
}

void wisp_shim_flash_geometry(struct wisp_flash_geometry *out)
{
	*out = geometry;
}

int32_t wisp_shim_flash_read(uint32_t offset, uint8_t *data, size_t length)
{
	return flash_area_read(area, offset, data, length);
}

int32_t wisp_shim_flash_write(uint32_t offset, const uint8_t *data, size_t length)
{
	return flash_area_write(area, offset, data, length);
}

int32_t wisp_shim_flash_erase(uint32_t offset, size_t length)
{
	return flash_area_erase(area, offset, length);
}
