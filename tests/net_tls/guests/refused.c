/* SPDX-License-Identifier: Apache-2.0 */

/* Attempts that the peer, the credential or the grant makes fail. A socket can try again. */

#include "../../net/guests/local.h"

static int32_t attempt(uint32_t port)
{
	return wisp_net_connect(0, LOCAL_HIGH, LOCAL_LOW, port, WISP_NET_FOREVER);
}

int main(void)
{
	struct wisp_event_event event;

	EXPECT(wisp_net_open(WISP_NET_TLS) == 0);
	/* The peer proves another name, its certificate has expired, another authority issued it.
	 */
	EXPECT(attempt(8445) == -WISP_EPROTO);
	EXPECT(attempt(8446) == -WISP_EPROTO);
	EXPECT(attempt(8447) == -WISP_EPROTO);
	/* There is no such credential, nobody listens, nothing is granted. */
	EXPECT(attempt(8448) == -WISP_ENOENT);
	EXPECT(attempt(8450) == -WISP_ENXIO);
	EXPECT(attempt(8452) == -WISP_EACCES);
	EXPECT(wisp_net_send(0, "x", 1, 0) == -WISP_EPERM);
	/* An attempt for which the app does not wait. */
	EXPECT(wisp_net_watch(0, WISP_NET_WRITABLE) == 0);
	EXPECT(wisp_net_connect(0, LOCAL_HIGH, LOCAL_LOW, 8450, 0) == -WISP_ETIMEDOUT);
	EXPECT(wisp_net_send(0, "x", 1, 0) == -WISP_EPERM);
	EXPECT(wisp_event_wait(WISP_EVENT_FOREVER, &event) == 0);
	EXPECT(event.kind == WISP_EVENT_NET && event.source == 0);
	EXPECT(attempt(8450) == -WISP_ENXIO);
	return 0;
}
