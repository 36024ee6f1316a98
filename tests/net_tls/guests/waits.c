/* SPDX-License-Identifier: Apache-2.0 */

/* Waits for a peer that says nothing, twice in two sockets. The test stops the app. */

#include "../../net/guests/local.h"

int main(void)
{
	EXPECT(wisp_net_open(WISP_NET_TLS) == 0 && wisp_net_open(WISP_NET_TLS) == 1);
	EXPECT(wisp_net_connect(0, LOCAL_HIGH, LOCAL_LOW, 8449, 20) == -WISP_ETIMEDOUT);
	/* An app has as many attempts as sockets, those included for which it does not wait. */
	EXPECT(wisp_net_close(0) == 0 && wisp_net_open(WISP_NET_TLS) == 0);
	EXPECT(wisp_net_connect(1, LOCAL_HIGH, LOCAL_LOW, 8449, 20) == -WISP_ETIMEDOUT);
	EXPECT(wisp_net_connect(0, LOCAL_HIGH, LOCAL_LOW, 8449, 0) == -WISP_ENOMEM);
	(void)wisp_net_connect(1, LOCAL_HIGH, LOCAL_LOW, 8449, WISP_NET_FOREVER);
	return 1;
}
