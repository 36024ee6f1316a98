/* SPDX-License-Identifier: Apache-2.0 */

/* The firmware scans. */

#include "check.h"

int main(void)
{
	EXPECT(wisp_ble_scan() == EBUSY);
	EXPECT(wisp_ble_stop_scanning() == 0);
	return 0;
}
