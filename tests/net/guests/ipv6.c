/* SPDX-License-Identifier: Apache-2.0 */

/* Uses entries for IPv6 in a firmware that has only IPv4. */

#include "local.h"

/* 2001:db8::1 */
#define HIGH 0x20010db800000000ull
#define LOW  1

int main(void)
{
	EXPECT(wisp_net_open(WISP_NET_UDP) == 0 && wisp_net_open(WISP_NET_TCP) == 1);
	EXPECT(wisp_net_connect(0, HIGH, LOW, 5683, 0) == -WISP_EIO);
	EXPECT(wisp_net_send_to(0, "x", 1, HIGH, LOW, 5683, 0) == -WISP_EIO);
	EXPECT(wisp_net_bind(0, 7003) == -WISP_EIO);
	EXPECT(wisp_net_connect(1, HIGH, LOW, 8000, 0) == -WISP_EIO);
	/* The socket is as before, and remains one of IPv4 once it was used as one. */
	EXPECT(wisp_net_send_to(0, "four", 4, LOCAL_HIGH, LOCAL_LOW, 5683, WISP_NET_FOREVER) == 0);
	EXPECT(wisp_net_send_to(0, "x", 1, HIGH, LOW, 5683, 0) == -WISP_EINVAL);
	return 0;
}
