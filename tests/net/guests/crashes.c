/* SPDX-License-Identifier: Apache-2.0 */

/* Traps with open sockets. */

#include "local.h"

int main(void)
{
	EXPECT(wisp_net_open(WISP_NET_TCP) == 0 && wisp_net_open(WISP_NET_UDP) == 1);
	EXPECT(wisp_net_connect(1, LOCAL_HIGH, LOCAL_LOW, 5683, 0) == 0);
	EXPECT(wisp_net_connect(0, LOCAL_HIGH, LOCAL_LOW, 8000, WISP_NET_FOREVER) == 0);
	__builtin_trap();
}
