/* SPDX-License-Identifier: Apache-2.0 */

/* The driver does not come back from this write. */

#include <stdint.h>
#include <wisp.h>

#include "check.h"

int main(void)
{
	static _Alignas(2) const uint8_t pixel[] = {14, 0};
	int32_t opened = wisp_display_open_str("left");

	EXPECT(opened >= 0);
	(void)wisp_display_write((uint32_t)opened, 0, 0, 1, 1, 1, pixel, sizeof(pixel));
	return 1;
}
