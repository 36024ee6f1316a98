/* SPDX-License-Identifier: Apache-2.0 */

/* Opens sockets, begins to connect and closes them, without end. */

#include "local.h"

int main(void)
{
	for (uint32_t round = 0;; round++) {
		/* In a simulation, time passes only while nobody computes. */
		if (round % 32 == 0) {
			wisp_timer_sleep_ms(1);
		}
		EXPECT(wisp_net_open(WISP_NET_UDP) == 0 && wisp_net_open(WISP_NET_TCP) == 1);
		EXPECT(wisp_net_open(WISP_NET_TCP) == 2 &&
		       wisp_net_open(WISP_NET_UDP) == -WISP_ENOMEM);
		/* The network stack may have no room while it ends connections. */
		(void)wisp_net_connect(0, LOCAL_HIGH, LOCAL_LOW, 5683, 0);
		(void)wisp_net_send(0, "x", 1, 0);
		(void)wisp_net_connect(1, LOCAL_HIGH, LOCAL_LOW, 8000, 0);
		(void)wisp_net_connect(2, LOCAL_HIGH, LOCAL_LOW, 8009, 0);
		EXPECT(wisp_net_close(2) == 0 && wisp_net_close(1) == 0 && wisp_net_close(0) == 0);
	}
}
