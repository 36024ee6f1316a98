/* SPDX-License-Identifier: Apache-2.0 */

/* Its thread ends as by a fault, while it advertises and scans. */

#include "check.h"

BOARD("fault") void fault(void);

int main(void)
{
	EXPECT(wisp_ble_advertise(BYTES(LAMP), BYTES(""), 100) == 0);
	EXPECT(wisp_ble_scan() == 0);
	fault();
	return 1;
}
