/* SPDX-License-Identifier: Apache-2.0 */

/* Has a service with three characteristics, for a client that the test plays. */

#include "check.h"

#define UUID(n) 0x6e400000b5a3f393 + ((uint64_t)(n) << 32), 0xe0a9e50e24dcca9e
#define ENOSPC  (-28)

static struct wisp_ble_value written;

int main(void)
{
	struct wisp_event_event event;

	EXPECT(wisp_ble_serve() == EINVAL);
	EXPECT(wisp_ble_declare(UUID(2), 0, 1) == EINVAL);
	EXPECT(wisp_ble_declare(UUID(2), WISP_BLE_READ, 21) == EINVAL);
	EXPECT(wisp_ble_declare(UUID(2), WISP_BLE_READ | WISP_BLE_NOTIFY, 20) == 0);
	EXPECT(wisp_ble_declare(UUID(3), WISP_BLE_WRITE, 4) == 1);
	EXPECT(wisp_ble_declare(UUID(4), WISP_BLE_READ | WISP_BLE_WRITE, 20) == 2);
	EXPECT(wisp_ble_declare(UUID(5), WISP_BLE_READ, 1) == ENOSPC);
	EXPECT(wisp_ble_set(0, BYTES("one")) == 0);
	EXPECT(wisp_ble_set(1, BYTES("12345")) == EMSGSIZE);
	EXPECT(wisp_ble_set(3, BYTES("")) == EINVAL);
	EXPECT(wisp_ble_serve() == 0);
	EXPECT(wisp_ble_serve() == EBUSY);
	EXPECT(wisp_ble_declare(UUID(5), WISP_BLE_READ, 1) == EBUSY);
	EXPECT(wisp_ble_watch(1) == 0);
	EXPECT(wisp_ble_advertise(BYTES(LAMP), BYTES(""), 100) == 0);
	gate();
	/* The client has read, and has written once. */
	EXPECT(wisp_event_wait(WISP_EVENT_FOREVER, &event) == 0);
	EXPECT(event.kind == WISP_EVENT_BLE && event.source == 1);
	EXPECT(wisp_ble_written(0, &written) == 0);
	EXPECT(written.characteristic == 1 && written.length == 4);
	EXPECT(written.address == 0xc000000000c1 && written.data0 == 0x04030201);
	EXPECT(written.data1 == 0 && written.data2 == 0);
	EXPECT(wisp_ble_written(0, &written) == ETIMEDOUT);
	EXPECT(wisp_ble_advertise(BYTES(LAMP), BYTES(""), 100) == 0);
	EXPECT(wisp_ble_set(0, BYTES("two")) == 0);
	gate();
	/* Whoever begins to watch is told of what waits, and is told nothing after the end of that. */
	EXPECT(wisp_event_wait(0, &event) == 0);
	EXPECT(wisp_ble_watch(1) == 0);
	EXPECT(wisp_event_wait(0, &event) == 0);
	EXPECT(event.kind == WISP_EVENT_BLE && event.source == 1);
	EXPECT(wisp_ble_watch(1) == 0);
	EXPECT(wisp_ble_watch(0) == 0);
	EXPECT(wisp_event_wait(0, &event) == ETIMEDOUT);
	/* The queue has four places, and the client has written five times. */
	for (uint64_t i = 0; i < 4; i++) {
		EXPECT(wisp_ble_written(0, &written) == 0);
		EXPECT(written.characteristic == 2 && written.length == 1 && written.data0 == i);
	}
	EXPECT(wisp_ble_written(1, &written) == ETIMEDOUT);
	gate();
	holds();
	(void)wisp_ble_written(WISP_BLE_FOREVER, &written);
	return 1;
}
