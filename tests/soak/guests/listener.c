/* SPDX-License-Identifier: Apache-2.0 */

/* Hears what the steady one tells. */

#include <stdint.h>
#include <wisp.h>

int main(void)
{
	int32_t level = wisp_msg_open_str("level", WISP_MSG_SUBSCRIBE);
	struct wisp_event_event event;
	uint32_t heard;

	if (level < 0) {
		return -level;
	}
	wisp_lifecycle_confirm();
	for (;;) {
		wisp_lifecycle_heartbeat();
		if (wisp_event_wait(1500, &event) != 0) {
			continue;
		}
		while (wisp_msg_receive(level, (uint8_t *)&heard, sizeof(heard)) > 0) {
			if (heard == 0) {
				return 1;
			}
		}
		if (wisp_msg_lost(level) != 0) {
			return 2;
		}
	}
}
