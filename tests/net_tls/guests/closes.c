/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Sends to a peer that does not read until there is no room, and closes the connection. Another one
 * says how many bytes were taken.
 */

#include "../../net/guests/local.h"

int main(void)
{
	static uint8_t bytes[700];
	uint32_t taken = 0;
	int32_t sent;

	EXPECT(wisp_net_open(WISP_NET_TLS) == 0);
	EXPECT(wisp_net_connect(0, LOCAL_HIGH, LOCAL_LOW, 8444, WISP_NET_FOREVER) == 0);
	while ((sent = wisp_net_send(0, bytes, sizeof(bytes), 100)) > 0) {
		taken += (uint32_t)sent;
	}
	EXPECT(sent == -WISP_ETIMEDOUT);
	wisp_log_write(WISP_LOG_INFO, "full", 4);
	EXPECT(wisp_net_close(0) == 0);

	EXPECT(wisp_net_open(WISP_NET_TLS) == 0);
	EXPECT(wisp_net_connect(0, LOCAL_HIGH, LOCAL_LOW, 8444, WISP_NET_FOREVER) == 0);
	EXPECT(wisp_net_send(0, (const char *)&taken, sizeof(taken), WISP_NET_FOREVER) ==
	       sizeof(taken));
	EXPECT(wisp_net_receive(0, bytes, 1, WISP_NET_FOREVER) == 0);
	return 0;
}
