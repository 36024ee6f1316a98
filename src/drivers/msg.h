/* SPDX-License-Identifier: Apache-2.0 */

/* Grants of message channels. grants.c makes tables of them. */

#ifndef WISP_DRIVERS_MSG_H_
#define WISP_DRIVERS_MSG_H_

#include <zephyr/kernel.h>
#include <zephyr/zbus/zbus.h>

/* State of a granted channel. */
struct wisp_msg_end {
	struct k_spinlock lock;
	/*
	 * Number of messages that were lost because a queue was full. For a publisher, the number
	 * counts all apps.
	 */
	uint32_t lost;
	/*
	 * For a subscriber: losses that the app has not read yet, messages added to the queue, and
	 * largest number of waiting messages.
	 */
	uint32_t lost_untold;
	uint32_t delivered;
	uint8_t most;
	uint8_t first;
	uint8_t count;
	bool open;
	/* True if an event was raised because the queue is not empty. */
	bool told;
};

struct wisp_msg_grant {
	const char *name;
	const struct zbus_channel *channel;
	struct wisp_msg_end *end;
	/* Memory of the queue, or NULL for a grant to publish. */
	uint8_t *queue;
	uint32_t size;
	uint8_t length;
};

#endif /* WISP_DRIVERS_MSG_H_ */
