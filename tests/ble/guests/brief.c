/* SPDX-License-Identifier: Apache-2.0 */

/* Advertises, and ends. */

#include "check.h"

int main(void)
{
	EXPECT(wisp_ble_advertise(BYTES("\x02\x09X"), BYTES(""), 20) == 0);
	return 0;
}
