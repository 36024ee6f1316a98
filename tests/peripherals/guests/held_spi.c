/* SPDX-License-Identifier: Apache-2.0 */

#include <stdint.h>
#include <wisp.h>

#include "check.h"

static uint32_t at(const void *object)
{
	return (uint32_t)(uintptr_t)object;
}

int main(void)
{
	uint8_t slow[] = {0x72, 0};
	uint8_t after[] = {0x10, 9};
	struct wisp_spi_operation operations[] = {
		{WISP_SPI_WRITE, 2, at(slow), 0},
		{WISP_SPI_DELAY, WISP_SPI_MAX_DELAY, 0, 0},
		{WISP_SPI_WRITE, 2, at(after), 0},
	};
	int32_t device = wisp_spi_open_str("registers");

	EXPECT(device >= 0);
	wisp_spi_transaction((uint32_t)device, operations, 3);
	/* Never reached: the app was stopped meanwhile. */
	for (;;) {
	}
}
