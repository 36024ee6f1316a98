/* SPDX-License-Identifier: Apache-2.0 */

/* Receives what it was granted, in a queue with four places. */

#include "check.h"

static struct wisp_ble_report report;

static int is_lamp(uint64_t address, uint32_t length)
{
	return report.address == address && report.length == length &&
	       (report.data0 & 0xffffffffffff) == 0x706d614c0905;
}

int main(void)
{
	struct wisp_event_event event;

	EXPECT(wisp_ble_receive(0, &report) == ETIMEDOUT);
	EXPECT(wisp_ble_scan() == 0);
	EXPECT(wisp_ble_watch(1) == 0);
	EXPECT(wisp_event_wait(1, &event) == ETIMEDOUT);
	gate();
	/* Two of three: the heater is not granted. */
	EXPECT(wisp_event_wait(WISP_EVENT_FOREVER, &event) == 0);
	EXPECT(event.kind == WISP_EVENT_BLE && event.source == 0 && event.value == 0);
	EXPECT(wisp_event_wait(1, &event) == ETIMEDOUT);
	EXPECT(wisp_ble_receive(0, &report) == 0);
	EXPECT(is_lamp(0xc00000000001, 6));
	EXPECT((int32_t)report.rssi == -60 && report.lost == 0);
	EXPECT(report.flags == (WISP_BLE_RANDOM | WISP_BLE_CONNECTABLE));
	EXPECT(report.data1 == 0 && report.data2 == 0 && report.data3 == 0);
	EXPECT(wisp_ble_receive(WISP_BLE_FOREVER, &report) == 0);
	EXPECT(report.address == 0x020000000003 && report.length == 31);
	EXPECT(report.flags == WISP_BLE_RESPONSE && report.data3 == 0x001e1d1c1b1a1918);
	EXPECT(wisp_ble_receive(0, &report) == ETIMEDOUT);
	gate();
	/* Six senders, of which one was heard three times, and the last two found no room. */
	EXPECT(wisp_ble_receive(0, &report) == 0);
	EXPECT(is_lamp(0xc00000000001, 6) && (int32_t)report.rssi == -43 && report.lost == 2);
	for (uint64_t sender = 2; sender <= 4; sender++) {
		EXPECT(wisp_ble_receive(0, &report) == 0);
		EXPECT(is_lamp(0xc00000000000 + sender, 6) && report.lost == 0);
	}
	EXPECT(wisp_ble_receive(1, &report) == ETIMEDOUT);
	/* A scan that begins again drops what waits, and its event. */
	gate();
	EXPECT(wisp_ble_scan() == 0);
	EXPECT(wisp_ble_receive(0, &report) == ETIMEDOUT);
	EXPECT(wisp_event_wait(1, &event) == ETIMEDOUT);
	EXPECT(wisp_ble_stop_scanning() == 0);
	gate();
	EXPECT(wisp_ble_receive(1, &report) == ETIMEDOUT);
	return 0;
}
