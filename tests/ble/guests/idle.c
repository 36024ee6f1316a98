/* SPDX-License-Identifier: Apache-2.0 */

/* Has no grant. */

#include "check.h"

int main(void)
{
	struct wisp_ble_report report;

	EXPECT(wisp_ble_advertise(BYTES(LAMP), BYTES(""), 100) == EACCES);
	EXPECT(wisp_ble_scan() == EACCES);
	EXPECT(wisp_ble_watch(1) == EACCES);
	EXPECT(wisp_ble_stop_advertising() == 0);
	EXPECT(wisp_ble_stop_scanning() == 0);
	EXPECT(wisp_ble_receive(1, &report) == ETIMEDOUT);
	EXPECT(wisp_ble_receive(1, NOWHERE) == -14);
	return 0;
}
