/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Publishes numbers on "level" for a consumer that takes them and a sleeper that does not:
 * its queue of three is full after the third. A wish tells when to end.
 */

#include <stdint.h>
#include <wisp.h>

#include "check.h"

struct level {
	uint32_t number;
	uint32_t square;
};

int main(void)
{
	struct wisp_event_event event;
	int32_t level = wisp_msg_open_str("level", WISP_MSG_PUBLISH);
	int32_t wish = wisp_msg_open_str("wish", WISP_MSG_SUBSCRIBE);
	int32_t wished = 0;

	EXPECT(level >= 0 && wish >= 0 && level != wish);
	EXPECT(wisp_msg_open_str("level", WISP_MSG_PUBLISH) == level);
	EXPECT(wisp_msg_size(level) == sizeof(struct level));
	EXPECT(wisp_msg_size(wish) == sizeof(wished));

	/* Wait for those who receive: they say so. */
	for (int i = 0; i < 2; i++) {
		EXPECT(wisp_event_wait(5000, &event) == 0);
		EXPECT(event.kind == WISP_EVENT_MESSAGE && event.source == (uint32_t)wish);
		EXPECT(wisp_msg_receive(wish, &wished, sizeof(wished)) == sizeof(wished));
		EXPECT(wished == 1);
	}
	EXPECT(wisp_msg_receive(wish, &wished, sizeof(wished)) == -WISP_EAGAIN);
	EXPECT(wisp_msg_room(level) == 3);

	for (uint32_t i = 1; i <= 5; i++) {
		struct level message = {i, i * i};
		int32_t lost = wisp_msg_publish(level, (uint8_t *)&message, sizeof(message));

		/* The consumer takes each at once, the sleeper none. */
		EXPECT(lost == (i <= 3 ? 0 : 1));
		EXPECT(wisp_msg_room(level) == (i <= 3 ? 3 - (int32_t)i : 0));
		wisp_timer_sleep_ms(50);
	}

	/* The consumer's answer, the number of messages it got. */
	EXPECT(wisp_event_wait(5000, &event) == 0);
	EXPECT(wisp_msg_receive(wish, &wished, sizeof(wished)) == sizeof(wished));
	EXPECT(wished == 5);
	EXPECT(wisp_msg_lost(wish) == 0);
	EXPECT(wisp_msg_close(wish) == 0);
	EXPECT(wisp_msg_receive(wish, &wished, sizeof(wished)) == -WISP_EBADF);
	return 0;
}
