/* SPDX-License-Identifier: Apache-2.0 */

/* Tries to open areas that the firmware and a bootloader use. */

#include <wisp.h>

#include "check.h"

int main(void)
{
	EXPECT(wisp_flash_open_str("firmware") == -WISP_EACCES);
	EXPECT(wisp_flash_open_str("boot") == -WISP_EACCES);
	return 0;
}
