/* SPDX-License-Identifier: Apache-2.0 */

/* Exchanges datagrams with a peer by DTLS, until the peer ends the session. */

#include <string.h>

#include "../../net/guests/local.h"

int main(void)
{
	static uint8_t much[1232];
	char answer[16] = {0};

	EXPECT(wisp_net_open(WISP_NET_DTLS) == 0);
	EXPECT(wisp_net_send_to(0, "x", 1, LOCAL_HIGH, LOCAL_LOW, 8451, 0) == -WISP_EPERM);
	EXPECT(wisp_net_connect(0, LOCAL_HIGH, LOCAL_LOW, 8451, WISP_NET_FOREVER) == 0);
	EXPECT(wisp_net_send(0, "question", 8, WISP_NET_FOREVER) == 8);
	EXPECT(wisp_net_receive(0, answer, 3, WISP_NET_FOREVER) == 3);
	EXPECT(memcmp(answer, "ans", 4) == 0);

	/* What has no room in a record is refused, and the session goes on. */
	EXPECT(wisp_net_send(0, much, sizeof(much), WISP_NET_FOREVER) == -WISP_EMSGSIZE);
	EXPECT(wisp_net_send(0, much, 1025, WISP_NET_FOREVER) == -WISP_EMSGSIZE);
	EXPECT(wisp_net_send(0, much, 1024, WISP_NET_FOREVER) == 1024);

	/* The peer ends the session. No call begins another one, or waits. */
	EXPECT(wisp_net_receive(0, answer, sizeof(answer), WISP_NET_FOREVER) == -WISP_EIO);
	EXPECT(wisp_net_send(0, "x", 1, WISP_NET_FOREVER) == -WISP_EIO);
	EXPECT(wisp_net_send(0, "x", 1, WISP_NET_FOREVER) == -WISP_EIO);
	EXPECT(wisp_net_receive(0, answer, sizeof(answer), WISP_NET_FOREVER) == -WISP_EIO);
	EXPECT(wisp_net_connect(0, LOCAL_HIGH, LOCAL_LOW, 8451, 0) == -WISP_EPERM);
	EXPECT(wisp_net_close(0) == 0);
	return 0;
}
