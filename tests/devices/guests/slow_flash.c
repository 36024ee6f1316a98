/* SPDX-License-Identifier: Apache-2.0 */

/* Erases for longer than a test lasts: the chip takes 200 ms for each block. */

#include <stdint.h>
#include <wisp.h>

#include "check.h"

BOARD("holds") void holds(void);

int main(void)
{
	int32_t opened = wisp_flash_open_str("log");

	EXPECT(opened >= 0);
	holds();
	EXPECT(wisp_flash_erase((uint32_t)opened, 0, 2048) == 0);
	return 0;
}
