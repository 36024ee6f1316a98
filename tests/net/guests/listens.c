/* SPDX-License-Identifier: Apache-2.0 */

/* Listens at a port and takes no connection until it is stopped. */

#include "local.h"

int main(void)
{
	char byte;

	EXPECT(wisp_net_open(WISP_NET_TCP) == 0 && wisp_net_bind(0, 7001) == 0);
	EXPECT(wisp_net_open(WISP_NET_UDP) == 1 && wisp_net_bind(1, 7000) == 0);
	(void)wisp_net_receive(1, &byte, 1, WISP_NET_FOREVER);
	return __LINE__;
}
