/* SPDX-License-Identifier: Apache-2.0 */

/* Uses up what an hour allows by datagrams that nobody takes. */

#include "local.h"

int main(void)
{
	static char bytes[549];

	EXPECT(wisp_net_open(WISP_NET_UDP) == 0);
	/* A packet of the loopback interface has 576 bytes. */
	EXPECT(wisp_net_send_to(0, bytes, 549, LOCAL_HIGH, LOCAL_LOW, 5683, WISP_NET_FOREVER) ==
	       -WISP_EMSGSIZE);
	for (int i = 0; i < 200; i++) {
		int32_t sent = wisp_net_send_to(0, bytes, 548, LOCAL_HIGH, LOCAL_LOW, 5683,
						WISP_NET_FOREVER);

		if (sent == -WISP_EAGAIN) {
			EXPECT(i >= 164 && i < 170);
			return 0;
		}
		EXPECT(sent == 0);
	}
	return __LINE__;
}
