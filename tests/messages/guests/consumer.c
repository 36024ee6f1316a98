/* SPDX-License-Identifier: Apache-2.0 */

/* Takes five messages as they come and tells how many it took. */

#include <stdint.h>
#include <wisp.h>

#include "check.h"

int main(void)
{
	int32_t level = wisp_msg_open_str("level", WISP_MSG_SUBSCRIBE);
	int32_t wish = wisp_msg_open_str("wish", WISP_MSG_PUBLISH);
	int32_t wished = 1;
	uint32_t message[2];
	int32_t count = 0;

	EXPECT(level >= 0 && wish >= 0);
	EXPECT(wisp_msg_publish(wish, (uint8_t *)&wished, sizeof(wished)) == 0);
	while (count < 5) {
		struct wisp_event_event event;

		wisp_lifecycle_heartbeat();
		if (wisp_event_wait(100, &event) != 0) {
			continue;
		}
		EXPECT(event.kind == WISP_EVENT_MESSAGE && event.source == (uint32_t)level);
		while (wisp_msg_receive(level, message, sizeof(message)) == sizeof(message)) {
			count++;
			EXPECT(message[0] == (uint32_t)count);
			EXPECT(message[1] == message[0] * message[0]);
		}
	}
	EXPECT(wisp_msg_lost(level) == 0);
	EXPECT(wisp_msg_publish(wish, (uint8_t *)&count, sizeof(count)) == 0);
	return 0;
}
