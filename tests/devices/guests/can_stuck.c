/* SPDX-License-Identifier: Apache-2.0 */

/* Sends on a bus where nobody acknowledges: the controller keeps what it has. */

#include <stdint.h>
#include <wisp.h>

#include "check.h"

BOARD("holds") void holds(void);
BOARD("acknowledge") void acknowledge(int32_t error);

int main(void)
{
	static const uint8_t data[] = {1, 2};
	int32_t opened = wisp_can_open_str("stuck");
	uint32_t bus = (uint32_t)opened;

	EXPECT(opened >= 0);
	/* As many as one app may have in the controller. */
	EXPECT(wisp_can_send(bus, 1, 0, data, 2, 0) == 0);
	EXPECT(wisp_can_send(bus, 2, 0, data, 2, 0) == 0);
	EXPECT(wisp_can_send(bus, 3, 0, data, 2, 0) == -WISP_ETIMEDOUT);
	EXPECT(wisp_can_send(bus, 3, 0, data, 2, 5) == -WISP_ETIMEDOUT);
	EXPECT(wisp_can_state(bus) == WISP_CAN_PASSIVE);
	EXPECT(wisp_can_failed(bus) == 0);
	acknowledge(-5);
	EXPECT(wisp_can_failed(bus) == 1);
	EXPECT(wisp_can_failed(bus) == 0);
	EXPECT(wisp_can_send(bus, 3, 0, data, 2, 0) == 0);
	/* The controller refuses this one. */
	acknowledge(0);
	EXPECT(wisp_can_send(bus, 0x666, 0, data, 2, 0) == -WISP_EIO);
	/* It counts no filters that it does not have. */
	EXPECT(wisp_can_filter(bus, 0, 0, 0) == -WISP_ENOSPC);
	EXPECT(wisp_can_send(bus, 4, 0, data, 2, 0) == 0);
	holds();
	/* Until it is stopped. */
	EXPECT(wisp_can_send(bus, 5, 0, data, 2, WISP_CAN_FOREVER) == 0);
	return 0;
}
