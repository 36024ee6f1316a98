/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Images in flash that the processor reads as memory: they run where they lie, and holding one
 * costs nothing.
 */

#include <string.h>

#include <zephyr/drivers/flash.h>
#include <zephyr/logging/log.h>

#include "storage/images.h"
#include "storage/storage.h"

/* A board may have real flash for the partition, and simulated flash for something else. */
#define SIMULATED DT_NODE_HAS_COMPAT(DT_MTD_FROM_FIXED_PARTITION(WISP_PARTITION), zephyr_sim_flash)

#if SIMULATED
#include <zephyr/drivers/flash/flash_simulator.h>
#endif

LOG_MODULE_DECLARE(wisp, CONFIG_WISP_LOG_LEVEL);

/* Bytes of each place that are read both ways. */
#define COMPARED 32

#define MEMORY WISP_PARTITION_MEMORY

#if !SIMULATED
BUILD_ASSERT(DT_NODE_EXISTS(MEMORY),
	     "Partition wisp_storage is not in memory-mapped flash: its memory is no soc-nv-flash; "
	     "set CONFIG_WISP_STORAGE_IN_RAM=y");
BUILD_ASSERT(!IS_ENABLED(CONFIG_SOC_FAMILY_ESPRESSIF_ESP32),
	     "This chip reads its flash through an MMU that maps other pages; set "
	     "CONFIG_WISP_STORAGE_IN_RAM=y, which needs CONFIG_WISP_NATIVE=n");

#define ADDRESS FIXED_PARTITION_ADDRESS(wisp_storage)
#define SIZE    FIXED_PARTITION_SIZE(wisp_storage)

BUILD_ASSERT(ADDRESS >= DT_REG_ADDR(MEMORY) &&
		     ADDRESS + SIZE <= DT_REG_ADDR(MEMORY) + DT_REG_SIZE(MEMORY),
	     "Partition wisp_storage reaches beyond the flash that it is in");
/* The same by the way that the linker takes: where the firmware lies, there is flash. */
BUILD_ASSERT(!DT_SAME_NODE(MEMORY, DT_CHOSEN(zephyr_flash)) ||
		     (ADDRESS >= CONFIG_FLASH_BASE_ADDRESS &&
		      ADDRESS + SIZE <= CONFIG_FLASH_BASE_ADDRESS + KB(CONFIG_FLASH_SIZE)),
	     "Partition wisp_storage is mapped outside of the chip's flash");
#endif

static const struct flash_area *area;
/* The partition's first byte. */
static const uint8_t *map;

/* Returns where the partition is mapped, or NULL if that is not known. */
static const uint8_t *find_map(const struct device *flash)
{
#if SIMULATED
	size_t size;
	const uint8_t *memory = flash_simulator_get_memory(flash, &size);

	return memory == NULL ? NULL : memory + area->fa_off;
#else
	ARG_UNUSED(flash);
	return (const uint8_t *)(uintptr_t)ADDRESS;
#endif
}

int wisp_images_compare(void)
{
	const uint32_t places[] = {0, area->fa_size / 2, area->fa_size - COMPARED};
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
				"reads other bytes than lie at %p, where devicetree maps it",
				(unsigned int)places[i], (const void *)(map + places[i]));
			return -EFAULT;
		}
	}
	return 0;
}

int wisp_images_open(const struct flash_area *flash)
{
	area = flash;
	map = find_map(flash_area_get_device(area));
	if (map == NULL) {
		LOG_ERR("app storage: partition wisp_storage is not mapped");
		return -ENOTSUP;
	}
	if (!IS_PTR_ALIGNED(map, uint64_t)) {
		LOG_ERR("partition wisp_storage is mapped at %p, which is not a multiple of 8",
			(const void *)map);
		return -EINVAL;
	}
	return wisp_images_compare();
}

bool wisp_images_hold(const uint8_t *image)
{
	return map != NULL && image >= map && image < map + FIXED_PARTITION_SIZE(wisp_storage);
}

const uint8_t *wisp_shim_image_hold(uint32_t offset, size_t length, bool *copied, uint32_t *error)
{
	ARG_UNUSED(length);
	ARG_UNUSED(error);
	*copied = false;
	return map + offset;
}

void wisp_shim_image_release(const uint8_t *image)
{
	ARG_UNUSED(image);
}
