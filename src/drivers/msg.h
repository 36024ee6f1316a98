/* SPDX-License-Identifier: Apache-2.0 */

/* What an app has of a channel of messages; tables of these are made by grants.c. */

#ifndef WISP_DRIVERS_MSG_H_
#define WISP_DRIVERS_MSG_H_

#include <zephyr/kernel.h>
#include <zephyr/zbus/zbus.h>

/* The state of a granted channel. */
struct wisp_msg_end {
	struct k_spinlock lock;
	/* Messages that found a queue full: of all apps for one that publishes, since it began. */
	uint32_t lost;
	/* For one that subscribes: not asked for yet; put into the queue; most that waited. */
	uint32_t lost_untold;
	uint32_t delivered;
	uint8_t most;
	uint8_t first;
	uint8_t count;
	bool open;
	/* An event told that the queue is not empty. */
	bool told;
};

struct wisp_msg_grant {
	const char *name;
	const struct zbus_channel *channel;
	struct wisp_msg_end *end;
	/* The queue's bytes; NULL for a grant to publish. */
	uint8_t *queue;
	uint32_t size;
	uint8_t length;
};

#endif /* WISP_DRIVERS_MSG_H_ */
