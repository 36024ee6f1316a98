/* SPDX-License-Identifier: Apache-2.0 */

/* The partition wisp_storage: reading, writing, erasing, and its address in memory. */

#include <string.h>

#include <zephyr/drivers/flash.h>
#include <zephyr/logging/log.h>
#include <zephyr/storage/flash_map.h>
#ifdef CONFIG_FLASH_SIMULATOR
#include <zephyr/drivers/flash/flash_simulator.h>
#endif

#include "storage/storage.h"

LOG_MODULE_DECLARE(wisp, CONFIG_WISP_LOG_LEVEL);

/* Number of bytes that are compared at each place. */
#define COMPARED 32

#define PARTITION DT_NODELABEL(wisp_storage)

BUILD_ASSERT(FIXED_PARTITION_EXISTS(wisp_storage),
	     "CONFIG_WISP_STORAGE needs a fixed partition with the node label wisp_storage");

#ifndef CONFIG_FLASH_SIMULATOR
/* The flash memory that contains the partition. Its node is not that of the controller. */
#define MEMORY                                                                                     \
	COND_CODE_1(DT_FIXED_SUBPARTITION_EXISTS(PARTITION),                                       \
		    (DT_MEM_FROM_FIXED_SUBPARTITION(PARTITION)),                                   \
		    (DT_MEM_FROM_FIXED_PARTITION(PARTITION)))

BUILD_ASSERT(DT_NODE_EXISTS(MEMORY),
	     "Partition wisp_storage is not in memory-mapped flash: its memory is no soc-nv-flash");

#define ADDRESS FIXED_PARTITION_ADDRESS(wisp_storage)
#define SIZE    FIXED_PARTITION_SIZE(wisp_storage)

BUILD_ASSERT(ADDRESS >= DT_REG_ADDR(MEMORY) &&
		     ADDRESS + SIZE <= DT_REG_ADDR(MEMORY) + DT_REG_SIZE(MEMORY),
	     "Partition wisp_storage reaches beyond the flash that it is in");
/* The same address as the linker computes it, from the flash that holds the firmware. */
BUILD_ASSERT(!DT_SAME_NODE(MEMORY, DT_CHOSEN(zephyr_flash)) ||
		     (ADDRESS >= CONFIG_FLASH_BASE_ADDRESS &&
		      ADDRESS + SIZE <= CONFIG_FLASH_BASE_ADDRESS + KB(CONFIG_FLASH_SIZE)),
	     "Partition wisp_storage is mapped outside of the chip's flash");
#endif

static const struct flash_area *area;
static struct wisp_flash_geometry geometry;

/* Returns the address at which the partition is mapped, or NULL if it is unknown. */
static const uint8_t *find_map(const struct device *flash)
{
#ifdef CONFIG_FLASH_SIMULATOR
	size_t size;
	const uint8_t *memory = flash_simulator_get_memory(flash, &size);

	return memory == NULL ? NULL : memory + area->fa_off;
#else
	ARG_UNUSED(flash);
	return (const uint8_t *)(uintptr_t)ADDRESS;
#endif
}

int wisp_storage_flash_compare(const uint8_t *map)
{
	const uint32_t places[] = {0, geometry.size / 2, geometry.size - COMPARED};
	uint8_t read[COMPARED];
	int ret;

	for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
		ret = flash_area_read(area, places[i], read, sizeof(read));
		if (ret != 0) {
			LOG_ERR("app storage: reading partition wisp_storage failed at 0x%x: %d",
				(unsigned int)places[i], ret);
			return ret;
		}
		if (memcmp(read, map + places[i], sizeof(read)) != 0) {
			LOG_ERR("app storage: at 0x%x of partition wisp_storage the flash driver "
				"reads "
				"other bytes than lie at %p, where devicetree maps it",
				(unsigned int)places[i], (const void *)(map + places[i]));
			return -EFAULT;
		}
	}
	return 0;
}

int wisp_storage_flash_open(const uint8_t **map)
{
	const struct flash_parameters *parameters;
	struct flash_pages_info page;
	const struct device *flash;
	int ret;

	ret = flash_area_open(FIXED_PARTITION_ID(wisp_storage), &area);
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

	*map = find_map(flash);
	if (*map == NULL) {
		LOG_ERR("app storage: partition wisp_storage is not mapped");
		return -ENOTSUP;
	}
	if (!IS_PTR_ALIGNED(*map, uint64_t)) {
		LOG_ERR("partition wisp_storage is mapped at %p, which is not a multiple of 8",
			(const void *)*map);
		return -EINVAL;
	}
	return wisp_storage_flash_compare(*map);
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
