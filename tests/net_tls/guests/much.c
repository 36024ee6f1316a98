/* SPDX-License-Identifier: Apache-2.0 */

/* Sends to a peer that does not read until there is no room, and then all the rest. */

#include "../../net/guests/local.h"

#define SIZE 40000

static uint32_t fill(uint8_t *bytes, uint32_t length, uint32_t at)
{
	uint32_t count = (SIZE - at < length) ? SIZE - at : length;

	for (uint32_t i = 0; i < count; i++) {
		bytes[i] = (uint8_t)((at + i) * 7 % 251);
	}
	return count;
}

int main(void)
{
	static uint8_t bytes[700];
	uint32_t at = 0;
	int32_t sent;

	EXPECT(wisp_net_open(WISP_NET_TLS) == 0);
	EXPECT(wisp_net_connect(0, LOCAL_HIGH, LOCAL_LOW, 8444, WISP_NET_FOREVER) == 0);
	while ((sent = wisp_net_send(0, bytes, fill(bytes, sizeof(bytes), at), 100)) > 0) {
		at += (uint32_t)sent;
	}
	EXPECT(sent == -WISP_ETIMEDOUT && at < SIZE);
	EXPECT((wisp_net_ready(0) & WISP_NET_WRITABLE) == 0);

	wisp_log_write(WISP_LOG_INFO, "full", 4);
	while (at < SIZE) {
		sent = wisp_net_send(0, bytes, fill(bytes, sizeof(bytes), at), WISP_NET_FOREVER);
		EXPECT(sent > 0);
		at += (uint32_t)sent;
	}
	EXPECT(wisp_net_receive(0, bytes, 1, WISP_NET_FOREVER) == 1);
	return 0;
}
