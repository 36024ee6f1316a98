/* SPDX-License-Identifier: Apache-2.0 */

/* Begins to connect by DTLS, and does not take the result. The test stops the app. */

#include "../../net/guests/local.h"

int main(void)
{
	struct wisp_event_event event;

	EXPECT(wisp_net_open(WISP_NET_DTLS) == 0);
	EXPECT(wisp_net_connect(0, LOCAL_HIGH, LOCAL_LOW, 8451, 0) == -WISP_ETIMEDOUT);
	(void)wisp_event_wait(WISP_EVENT_FOREVER, &event);
	return __LINE__;
}
