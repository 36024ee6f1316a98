/* SPDX-License-Identifier: Apache-2.0 */

/* Grants of CAN buses, and the queue of each between the controller and the app. */

#ifndef WISP_DRIVERS_CAN_H_
#define WISP_DRIVERS_CAN_H_

#include <zephyr/drivers/can.h>
#include <zephyr/kernel.h>
#include <zephyr/sys/slist.h>

#include "border/shim.h"
#include "drivers/event.h"

struct wisp_queued_frame {
	int64_t ticks;
	struct wisp_can_frame frame;
};

struct wisp_can {
	const struct device *device;
	/* In the line of those that wait for room, with the priority of the app's thread. */
	sys_snode_t node;
	int priority;
	struct k_spinlock lock;
	/* Given when a frame has arrived or was sent, or when it is the app's turn. */
	struct k_poll_signal changed;
	uint32_t lost;
	uint32_t failed;
	uint16_t first;
	uint16_t count;
	/* Frames that the controller has and has not sent. */
	uint8_t pending;
	uint8_t filter_count;
#ifdef CONFIG_WISP_EVENT
	struct wisp_events *events;
	uint8_t index;
	bool watched;
	/* True if an event was raised for the frames that wait. */
	bool told;
#endif
	bool open;
	/* The app's thread hands a frame to the driver. */
	bool handing;
	int filters[CONFIG_WISP_CAN_FILTERS];
	struct wisp_queued_frame queue[CONFIG_WISP_CAN_QUEUE];
};

struct wisp_can_grant {
	const char *name;
	struct wisp_can *can;
};

/* clang-format off */
#define CAN_INITIALIZER(node_id, prop, idx)                                                        \
	[idx] = {                                                                                  \
		.device = DEVICE_DT_GET(DT_PHANDLE_BY_IDX(node_id, prop, idx)),                    \
		.changed = K_POLL_SIGNAL_INITIALIZER(TABLE(node_id, can_states)[idx].changed),     \
	},
#define can_STATE(node_id)                                                                         \
	static struct wisp_can TABLE(node_id, can_states)[] = {                                    \
		DT_FOREACH_PROP_ELEM(node_id, cans, CAN_INITIALIZER)};
#define can_GRANT(node_id, prop, idx) {                                                            \
	.name = DT_PROP_BY_IDX(node_id, can_names, idx),                                           \
	.can = &TABLE(node_id, can_states)[idx],                                                   \
},
/* clang-format on */

#endif /* WISP_DRIVERS_CAN_H_ */
