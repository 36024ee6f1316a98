/* SPDX-License-Identifier: Apache-2.0 */

/* Sends by TLS while the network stack has no packet, and again when it has some. */

#include "../../net/guests/local.h"

int main(void)
{
	int32_t sent;
	char byte;

	EXPECT(wisp_net_open(WISP_NET_TLS) == 0);
	EXPECT(wisp_net_connect(0, LOCAL_HIGH, LOCAL_LOW, 8444, WISP_NET_FOREVER) == 0);
	wisp_log_write(WISP_LOG_INFO, "ready", 5);
	/* The firmware takes all packets meanwhile. */
	do {
		EXPECT(wisp_net_receive(0, &byte, 1, 20) == -WISP_ETIMEDOUT);
		sent = wisp_net_send(0, "n", 1, 20);
	} while (sent == 1);
	EXPECT(sent == -WISP_ETIMEDOUT);
	wisp_log_write(WISP_LOG_INFO, "scarce", 6);
	EXPECT(wisp_net_send(0, "room", 4, WISP_NET_FOREVER) == 4);
	return 0;
}
