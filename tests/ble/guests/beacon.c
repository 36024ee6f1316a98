/* SPDX-License-Identifier: Apache-2.0 */

/* Advertises what it was granted, and nothing else. */

#include "check.h"

int main(void)
{
	/* Nothing of this reaches the controller, as the test sees. */
	EXPECT(wisp_ble_advertise(BYTES("\x05\x09Lamb"), BYTES(""), 100) == EACCES);
	EXPECT(wisp_ble_advertise(BYTES(LAMP), BYTES("\x03\x03\x0f\x18"), 100) == EACCES);
	EXPECT(wisp_ble_advertise(BYTES("\x03\xff\x4c\x00"), BYTES(""), 100) == EACCES);
	EXPECT(wisp_ble_advertise(BYTES(LAMP), BYTES(""), 99) == EACCES);
	EXPECT(wisp_ble_advertise(BYTES(LAMP), BYTES(""), 10241) == EINVAL);
	EXPECT(wisp_ble_advertise(BYTES("\x06\x09Lamp"), BYTES(""), 100) == EINVAL);
	EXPECT(wisp_ble_advertise(BYTES("\x02\x0a\x00"), BYTES(""), 100) == EINVAL);
	EXPECT(wisp_ble_advertise(BYTES("0123456789abcdef0123456789abcdef"), BYTES(""), 100) ==
	       EMSGSIZE);
	gate();

	EXPECT(wisp_ble_advertise(BYTES(FLAGS LAMP), BYTES(""), 100) == 0);
	gate();
	/* New data take the place of the old ones, without a new start. */
	EXPECT(wisp_ble_advertise(BYTES(FLAGS AIR), BYTES(""), 100) == 0);
	gate();
	EXPECT(wisp_ble_advertise(BYTES(AIR), BYTES(LAMP), 10240) == 0);
	gate();
	EXPECT(wisp_ble_stop_advertising() == 0);
	gate();
	EXPECT(wisp_ble_stop_advertising() == 0);
	/* The controller fails, and then not. */
	EXPECT(wisp_ble_advertise(BYTES(LAMP), BYTES(""), 100) == EIO);
	EXPECT(wisp_ble_advertise(BYTES(LAMP), BYTES(""), 100) == 0);
	return 0;
}
