/* SPDX-License-Identifier: Apache-2.0 */

/* Receives anything. */

#include "check.h"

int main(void)
{
	struct wisp_ble_report report;

	EXPECT(wisp_ble_scan() == 0);
	holds();
	EXPECT(wisp_ble_receive(WISP_BLE_FOREVER, &report) == 0);
	EXPECT(report.length == 0 && report.address == 0xc00000000009);
	return 0;
}
