/* SPDX-License-Identifier: Apache-2.0 */

/* Somebody else advertises. */

#include "check.h"

int main(void)
{
	EXPECT(wisp_ble_advertise(BYTES("\x02\x09X"), BYTES(""), 20) == EBUSY);
	EXPECT(wisp_ble_stop_advertising() == 0);
	return 0;
}
