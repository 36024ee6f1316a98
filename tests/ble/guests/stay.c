/* SPDX-License-Identifier: Apache-2.0 */

/* Advertises and scans until it is stopped. */

#include "check.h"

int main(void)
{
	struct wisp_ble_report report;

	EXPECT(wisp_ble_advertise(BYTES(LAMP), BYTES(""), 100) == 0);
	EXPECT(wisp_ble_scan() == 0);
	holds();
	(void)wisp_ble_receive(WISP_BLE_FOREVER, &report);
	return 1;
}
