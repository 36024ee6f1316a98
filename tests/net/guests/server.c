/* SPDX-License-Identifier: Apache-2.0 */

/* Answers one datagram and one connection of the firmware. */

#include <string.h>

#include "local.h"

int main(void)
{
	char bytes[16];
	struct wisp_net_peer peer;
	struct wisp_event_event event;
	int32_t udp = wisp_net_open(WISP_NET_UDP);
	int32_t tcp = wisp_net_open(WISP_NET_TCP);
	int32_t strict = wisp_net_open(WISP_NET_TCP);
	int32_t connection;

	EXPECT(wisp_net_bind(udp, 7001) == -WISP_EACCES);
	EXPECT(wisp_net_watch(udp, WISP_NET_WRITABLE) == 0);
	EXPECT(wisp_net_bind(udp, 7000) == 0 && wisp_net_bind(tcp, 7001) == 0);
	EXPECT(wisp_event_wait(WISP_EVENT_FOREVER, &event) == 0);
	EXPECT(event.kind == WISP_EVENT_NET && event.source == (uint32_t)udp);
	EXPECT(event.value == WISP_NET_WRITABLE);
	EXPECT(wisp_net_accept(tcp, 0, &peer) == -WISP_ETIMEDOUT);
	EXPECT(wisp_net_bind(strict, 7002) == 0);
	EXPECT(wisp_net_receive_from(udp, bytes, sizeof(bytes), WISP_NET_FOREVER, &peer) == 5);
	EXPECT(wisp_net_send_to(udp, bytes, 5, peer.high, peer.low, peer.port, WISP_NET_FOREVER) ==
	       0);
	connection = wisp_net_accept(tcp, WISP_NET_FOREVER, &peer);
	EXPECT(connection == 3);
	EXPECT(peer.high == LOCAL_HIGH && peer.low == LOCAL_LOW && peer.length == 0);
	EXPECT(wisp_net_receive(connection, bytes, sizeof(bytes), WISP_NET_FOREVER) == 5);
	EXPECT(wisp_net_send(connection, bytes, 5, WISP_NET_FOREVER) == 5);
	EXPECT(wisp_net_receive(connection, bytes, sizeof(bytes), WISP_NET_FOREVER) == 0);
	/* The firmware's connection with this port was closed. */
	EXPECT(wisp_net_accept(strict, 0, &peer) == -WISP_ENOMEM);
	EXPECT(wisp_net_lost(strict) == 1);
	return 0;
}
