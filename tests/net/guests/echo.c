/* SPDX-License-Identifier: Apache-2.0 */

/* Sends every datagram back until it is stopped. */

#include "local.h"

int main(void)
{
	char bytes[64];
	struct wisp_net_peer peer;

	EXPECT(wisp_net_open(WISP_NET_UDP) == 0 && wisp_net_bind(0, 7010) == 0);
	while (1) {
		int32_t length =
			wisp_net_receive_from(0, bytes, sizeof(bytes), WISP_NET_FOREVER, &peer);

		EXPECT(length >= 0);
		EXPECT(wisp_net_send_to(0, bytes, length, peer.high, peer.low, peer.port,
					WISP_NET_FOREVER) == 0);
	}
}
