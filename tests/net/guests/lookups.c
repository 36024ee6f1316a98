/* SPDX-License-Identifier: Apache-2.0 */

/* Leaves a lookup and comes back to it, and is stopped during a second one. */

#include <string.h>

#include "local.h"

static int32_t resolve(const char *name, uint32_t timeout)
{
	struct wisp_net_address found;

	return wisp_net_resolve(name, strlen(name), timeout, &found);
}

int main(void)
{
	EXPECT(resolve("broker.example", 0) == -WISP_ETIMEDOUT);
	EXPECT(resolve("second.example", 0) == -WISP_EBUSY);
	EXPECT(wisp_net_open(WISP_NET_UDP) == 0);
	EXPECT(wisp_net_send_to(0, "seen", 4, LOCAL_HIGH, LOCAL_LOW, 5301, WISP_NET_FOREVER) == 0);
	EXPECT(resolve("broker.example", WISP_NET_FOREVER) == 0);
	(void)resolve("broker.example", WISP_NET_FOREVER);
	return __LINE__;
}
