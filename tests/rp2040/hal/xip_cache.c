/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Stands in for what Zephyr's flash driver of the RP2040 needs of its HAL, where the workspace has
 * a HAL that is older than the one that Zephyr's manifest names. The build adds this file to the
 * place that it is missing from. It programs a part of a page: one bits leave flash as it is.
 */

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <hardware/flash.h>

void flash_write_partial(uint32_t offset, const uint8_t *data, size_t length);

/* Called by the driver only, which has locked interrupts, with data that stay within a page. */
void flash_write_partial(uint32_t offset, const uint8_t *data, size_t length)
{
	static uint8_t page[FLASH_PAGE_SIZE];

	memset(page, 0xff, sizeof(page));
	memcpy(page + offset % FLASH_PAGE_SIZE, data, length);
	flash_range_program(offset - offset % FLASH_PAGE_SIZE, page, sizeof(page));
}
