/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Images in RAM, for flash that the processor does not read as memory. An image is read when it is
 * first held and takes its length until it is released by all who hold it. All but
 * wisp_images_hold() runs in the app storage's thread.
 */

#include <zephyr/kernel.h>
#include <zephyr/logging/log.h>
#include <zephyr/sys/sys_heap.h>

#include "storage/images.h"
#include "storage/storage.h"

LOG_MODULE_DECLARE(wisp, CONFIG_WISP_LOG_LEVEL);

struct held {
	/* NULL: a free place. */
	uint8_t *image;
	uint32_t offset;
	size_t length;
	unsigned int holders;
};

/* The image that each app runs, and one that is checked. */
static struct held all[WISP_STORE_SLOTS + 1];

static uint8_t memory[CONFIG_WISP_STORAGE_RAM_SIZE] __aligned(sizeof(uint64_t));
static struct sys_heap heap;

static const struct flash_area *area;

int wisp_images_open(const struct flash_area *flash)
{
	area = flash;
	sys_heap_init(&heap, memory, sizeof(memory));
	return 0;
}

int wisp_images_compare(void)
{
	/* Images are read by the flash driver only, so there is nothing to compare. */
	return 0;
}

bool wisp_images_hold(const uint8_t *image)
{
	return image >= memory && image < memory + sizeof(memory);
}

/* Returns the place of an image, or a free place, or NULL. */
static struct held *find(uint32_t offset, size_t length)
{
	struct held *found = NULL;

	for (size_t i = 0; i < ARRAY_SIZE(all); i++) {
		if (all[i].image == NULL) {
			found = &all[i];
		} else if (all[i].offset == offset && all[i].length == length) {
			return &all[i];
		}
	}
	return found;
}

const uint8_t *wisp_shim_image_hold(uint32_t offset, size_t length, bool *copied, uint32_t *error)
{
	struct held *held = find(offset, length);
	uint8_t *image;

	*copied = true;
	if (held != NULL && held->image != NULL) {
		held->holders++;
		return held->image;
	}
	image = held == NULL ? NULL : sys_heap_aligned_alloc(&heap, sizeof(uint64_t), length);
	if (image == NULL) {
		LOG_ERR("app storage: no room for an image of %u bytes in the %u of "
			"CONFIG_WISP_STORAGE_RAM_SIZE beside those that run",
			(unsigned int)length, (unsigned int)sizeof(memory));
		*error = WISP_STORE_NO_RAM;
		return NULL;
	}
	if (flash_area_read(area, offset, image, length) != 0) {
		sys_heap_free(&heap, image);
		*error = WISP_STORE_FLASH;
		return NULL;
	}
	*held = (struct held){.image = image, .offset = offset, .length = length, .holders = 1};
	return image;
}

void wisp_shim_image_release(const uint8_t *image)
{
	for (size_t i = 0; i < ARRAY_SIZE(all); i++) {
		if (all[i].image == image && --all[i].holders == 0) {
			sys_heap_free(&heap, all[i].image);
			all[i].image = NULL;
		}
	}
}
