/* SPDX-License-Identifier: Apache-2.0 */

#include <stdint.h>
#include <wisp.h>

#include "check.h"

int main(void)
{
	uint8_t slow[] = {0x72, 0};
	int32_t device = wisp_spi_open_str("registers");

	EXPECT(device >= 0);
	wisp_spi_write((uint32_t)device, slow, 2);
	/* Never reached: the app was stopped meanwhile. */
	for (;;) {
	}
}
