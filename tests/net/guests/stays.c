/* SPDX-License-Identifier: Apache-2.0 */

/* Connects and waits until it is stopped, with a second attempt to connect half open. */

#include "local.h"

int main(void)
{
	char byte;

	EXPECT(wisp_net_open(WISP_NET_TCP) == 0 && wisp_net_open(WISP_NET_UDP) == 1);
	EXPECT(wisp_net_open(WISP_NET_TCP) == 2);
	EXPECT(wisp_net_connect(1, LOCAL_HIGH, LOCAL_LOW, 5683, 0) == 0);
	/* Nobody answers for this address. */
	EXPECT(wisp_net_connect(2, LOCAL_HIGH, LOCAL_LOW + 0x10000, 8000, 0) < 0);
	EXPECT(wisp_net_connect(0, LOCAL_HIGH, LOCAL_LOW, 8000, WISP_NET_FOREVER) == 0);
	(void)wisp_net_receive(0, &byte, 1, WISP_NET_FOREVER);
	return __LINE__;
}
