/* SPDX-License-Identifier: Apache-2.0 */

/* Sends to a peer that does not read until there is no room, and then until it has read. */

#include "local.h"

int main(void)
{
	static char bytes[512];
	int32_t sent;
	int total = 0;

	EXPECT(wisp_net_open(WISP_NET_TCP) == 0 && wisp_net_open(WISP_NET_UDP) == 1);
	EXPECT(wisp_net_connect(0, LOCAL_HIGH, LOCAL_LOW, 8000, WISP_NET_FOREVER) == 0);
	while ((sent = wisp_net_send(0, bytes, sizeof(bytes), 500)) > 0) {
		total += sent;
	}
	EXPECT(sent == -WISP_ETIMEDOUT && total < 65536);
	EXPECT((wisp_net_ready(0) & WISP_NET_WRITABLE) == 0);
	EXPECT(wisp_net_send_to(1, "full", 4, LOCAL_HIGH, LOCAL_LOW, 5683, WISP_NET_FOREVER) == 0);
	for (int i = 0; i < 10; i++) {
		EXPECT(wisp_net_send(0, bytes, sizeof(bytes), WISP_NET_FOREVER) > 0);
	}
	return 0;
}
