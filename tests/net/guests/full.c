/* SPDX-License-Identifier: Apache-2.0 */

/* Sends a datagram while the network stack has no packet, and waits for one. */

#include "local.h"

int main(void)
{
	EXPECT(wisp_net_open(WISP_NET_UDP) == 0);
	EXPECT(wisp_net_send_to(0, "no", 2, LOCAL_HIGH, LOCAL_LOW, 5683, 0) == -WISP_ETIMEDOUT);
	EXPECT(wisp_net_send_to(0, "room", 4, LOCAL_HIGH, LOCAL_LOW, 5683, WISP_NET_FOREVER) == 0);
	return 0;
}
