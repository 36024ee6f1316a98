/* SPDX-License-Identifier: Apache-2.0 */

/* Erase blocks of a partition. */

#ifndef WISP_DRIVERS_FLASH_LAYOUT_H_
#define WISP_DRIVERS_FLASH_LAYOUT_H_

#include <errno.h>
#include <stdbool.h>

#include <zephyr/drivers/flash.h>
#include <zephyr/storage/flash_map.h>

#include "border/shim.h"

/*
 * Finds the geometry of a partition. Returns -EINVAL and sets uneven if it does not begin and end
 * with an erase block, or has erase blocks of several sizes.
 */
static ALWAYS_INLINE int wisp_flash_layout(const struct flash_area *area,
					   struct wisp_flash_geometry *out, bool *uneven)
{
	const struct device *flash = flash_area_get_device(area);
	const struct flash_parameters *parameters;
	struct flash_pages_info page;
	struct flash_pages_info last;
	int ret;

	*uneven = false;
	ret = flash_get_page_info_by_offs(flash, area->fa_off, &page);
	if (ret != 0) {
		return ret;
	}
	ret = flash_get_page_info_by_offs(flash, area->fa_off + area->fa_size - 1, &last);
	if (ret != 0) {
		return ret;
	}
	if (page.start_offset != area->fa_off || last.size != page.size ||
	    (last.index - page.index + 1) * page.size != area->fa_size) {
		*uneven = true;
		return -EINVAL;
	}
	parameters = flash_get_parameters(flash);
	out->size = area->fa_size;
	out->erase_block = page.size;
	out->write_block = MAX(parameters->write_block_size, 1);
	out->erased = parameters->erase_value;
	return 0;
}

#endif /* WISP_DRIVERS_FLASH_LAYOUT_H_ */
