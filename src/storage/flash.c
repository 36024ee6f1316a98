/* SPDX-License-Identifier: Apache-2.0 */

/* The partition wisp_storage: reading, writing and erasing. */

#include <zephyr/drivers/flash.h>
#include <zephyr/logging/log.h>
#include <zephyr/storage/flash_map.h>

#include "drivers/flash_layout.h"
#include "storage/images.h"
#include "storage/storage.h"

LOG_MODULE_DECLARE(wisp, CONFIG_WISP_LOG_LEVEL);

BUILD_ASSERT(FIXED_PARTITION_EXISTS(wisp_storage),
	     "CONFIG_WISP_STORAGE needs a fixed partition with the node label wisp_storage");

static const struct flash_area *area;
static struct wisp_flash_geometry geometry;

int wisp_storage_flash_open(void)
{
	const struct device *flash;
	bool uneven;
	int ret;

	ret = flash_area_open(FIXED_PARTITION_ID(wisp_storage), &area);
	if (ret != 0) {
		return ret;
	}
	flash = flash_area_get_device(area);
	if (!device_is_ready(flash)) {
		return -ENODEV;
	}
	ret = wisp_flash_layout(area, &geometry, &uneven);
	if (uneven) {
		LOG_ERR("partition wisp_storage must begin and end with an erase block, and all of "
			"its erase blocks must have one size");
	}
	if (ret != 0) {
		return ret;
	}

	return wisp_images_open(area);
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
