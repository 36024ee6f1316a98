/* SPDX-License-Identifier: Apache-2.0 */

/* Runs as the producer: what it was not granted, and what it does wrong. */

#include <stdint.h>
#include <wisp.h>

#include "check.h"

int main(void)
{
	uint8_t message[8] = {1};
	int32_t level = wisp_msg_open_str("level", WISP_MSG_PUBLISH);
	int32_t wish = wisp_msg_open_str("wish", WISP_MSG_SUBSCRIBE);
	int32_t guarded = wisp_msg_open_str("guarded", WISP_MSG_PUBLISH);

	EXPECT(level >= 0 && wish >= 0 && guarded >= 0);
	EXPECT(wisp_msg_open_str("level", WISP_MSG_SUBSCRIBE) == -WISP_EACCES);
	EXPECT(wisp_msg_open_str("wish", WISP_MSG_PUBLISH) == -WISP_EACCES);
	EXPECT(wisp_msg_open_str("wrong-size", WISP_MSG_PUBLISH) == -WISP_EACCES);
	EXPECT(wisp_msg_open_str("level", 0) == -WISP_EINVAL);

	EXPECT(wisp_msg_publish(level, message, 7) == -WISP_EMSGSIZE);
	EXPECT(wisp_msg_publish(level, NOWHERE, 8) == -WISP_EFAULT);
	EXPECT(wisp_msg_publish(wish, message, 4) == -WISP_EPERM);
	EXPECT(wisp_msg_receive(level, message, 8) == -WISP_EPERM);
	EXPECT(wisp_msg_publish(33, message, 8) == -WISP_EBADF);

	/* The firmware's validator takes even numbers only. */
	EXPECT(wisp_msg_publish(guarded, message, 4) == -WISP_EINVAL);
	message[0] = 2;
	EXPECT(wisp_msg_publish(guarded, message, 4) == 0);
	/* Nobody receives: there is room without limit, and nobody loses anything. */
	EXPECT(wisp_msg_room(guarded) == INT32_MAX);
	return 0;
}
