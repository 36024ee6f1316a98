/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Where the processor reads images: in the flash itself (map.c), or in RAM (ram.c,
 * CONFIG_WISP_STORAGE_IN_RAM). shim.h declares how they are held and released.
 */

#ifndef WISP_SRC_STORAGE_IMAGES_H_
#define WISP_SRC_STORAGE_IMAGES_H_

#include <stdbool.h>
#include <stdint.h>

#include <zephyr/storage/flash_map.h>

#define WISP_PARTITION DT_NODELABEL(wisp_storage)
/* The memory that the partition is a part of: the node of the flash, not that of its controller. It
 * does not exist where the processor does not read the flash as memory.
 */
#define WISP_PARTITION_MEMORY                                                                      \
	COND_CODE_1(DT_FIXED_SUBPARTITION_EXISTS(WISP_PARTITION),                                  \
		    (DT_MEM_FROM_FIXED_SUBPARTITION(WISP_PARTITION)),                              \
		    (DT_MEM_FROM_FIXED_PARTITION(WISP_PARTITION)))

/* Finds where the partition is mapped, or makes the RAM ready. Returns 0 or a negative errno. */
int wisp_images_open(const struct flash_area *area);

/*
 * Compares bytes that the flash driver reads with those that the processor reads. Returns 0 or a
 * negative errno. An erased partition may look like one that does not exist, so the comparison is
 * repeated after the app storage was opened.
 */
int wisp_images_compare(void);

/* Returns true for an image of the app storage. Callable from any thread. */
bool wisp_images_hold(const uint8_t *image);

#endif /* WISP_SRC_STORAGE_IMAGES_H_ */
