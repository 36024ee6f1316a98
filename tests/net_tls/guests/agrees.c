/* SPDX-License-Identifier: Apache-2.0 */

/* Connects with peers that prove a name and an address, and exchanges bytes with them. */

#include <string.h>

#include "../../net/guests/local.h"

static void exchange(uint32_t port)
{
	char answer[16] = {0};
	struct wisp_event_event event;

	EXPECT(wisp_net_open(WISP_NET_TLS) == 0);
	EXPECT(wisp_net_bind(0, port) == -WISP_EACCES);
	EXPECT(wisp_net_connect(0, LOCAL_HIGH, LOCAL_LOW, port, WISP_NET_FOREVER) == 0);
	EXPECT(wisp_net_connect(0, LOCAL_HIGH, LOCAL_LOW, port, 0) == -WISP_EPERM);
	EXPECT(wisp_net_receive(0, answer, sizeof(answer), 0) == -WISP_ETIMEDOUT);
	EXPECT(wisp_net_send(0, "ping", 4, WISP_NET_FOREVER) == 4);
	EXPECT(wisp_net_watch(0, WISP_NET_READABLE) == 0);
	EXPECT(wisp_event_wait(WISP_EVENT_FOREVER, &event) == 0);
	EXPECT(event.kind == WISP_EVENT_NET && event.value == WISP_NET_READABLE);
	EXPECT(wisp_net_receive(0, answer, 2, WISP_NET_FOREVER) == 2);
	/* What one record left. */
	EXPECT(wisp_net_ready(0) == (WISP_NET_READABLE | WISP_NET_WRITABLE));
	EXPECT(wisp_net_receive(0, answer + 2, 8, WISP_NET_FOREVER) == 2);
	EXPECT(memcmp(answer, "pong", 5) == 0);
	EXPECT(wisp_net_receive(0, answer, sizeof(answer), WISP_NET_FOREVER) == 0);
	EXPECT(wisp_net_close(0) == 0);
}

int main(void)
{
	exchange(8443);
	exchange(8444);
	return 0;
}
