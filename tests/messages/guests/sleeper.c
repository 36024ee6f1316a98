/* SPDX-License-Identifier: Apache-2.0 */

/* Looks only when all is over, and is told what it lost. */

#include <stdint.h>
#include <wisp.h>

#include "check.h"

int main(void)
{
	int32_t level = wisp_msg_open_str("level", WISP_MSG_SUBSCRIBE);
	uint32_t message[2];

	EXPECT(level >= 0);
	wisp_timer_sleep_ms(1500);
	for (uint32_t i = 1; i <= 3; i++) {
		EXPECT(wisp_msg_receive(level, message, 4) == -WISP_EMSGSIZE);
		EXPECT(wisp_msg_receive(level, message, sizeof(message)) == sizeof(message));
		EXPECT(message[0] == i);
	}
	EXPECT(wisp_msg_receive(level, message, sizeof(message)) == -WISP_EAGAIN);
	EXPECT(wisp_msg_lost(level) == 2);
	EXPECT(wisp_msg_lost(level) == 0);
	return 0;
}
