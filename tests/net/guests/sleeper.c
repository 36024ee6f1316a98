/* SPDX-License-Identifier: Apache-2.0 */

/* Binds a port and reads only after the firmware's connection has told it to. */

#include "local.h"

int main(void)
{
	static char bytes[256];
	struct wisp_net_peer peer;
	int kept = 0;

	EXPECT(wisp_net_open(WISP_NET_UDP) == 0 && wisp_net_bind(0, 7000) == 0);
	EXPECT(wisp_net_open(WISP_NET_TCP) == 1 && wisp_net_bind(1, 7001) == 0);
	EXPECT(wisp_net_accept(1, WISP_NET_FOREVER, &peer) == 2);
	EXPECT(wisp_net_receive(2, bytes, 1, WISP_NET_FOREVER) == 1);
	while (wisp_net_receive(0, bytes, sizeof(bytes), 0) == 76) {
		kept++;
	}
	/* 512 bytes hold five datagrams of 76 bytes, which take 24 more each. */
	EXPECT(kept == 5);
	EXPECT(wisp_net_lost(0) == 195);
	return 0;
}
