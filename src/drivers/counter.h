/* SPDX-License-Identifier: Apache-2.0 */

/* Grants of counters, and the alarm of each. */

#ifndef WISP_DRIVERS_COUNTER_H_
#define WISP_DRIVERS_COUNTER_H_

#include <stdint.h>

#include <zephyr/device.h>

#include "drivers/owner.h"

struct wisp_events;

struct wisp_counter {
	struct wisp_owner owner;
	struct wisp_events *events;
	uint8_t index;
};

struct wisp_counter_grant {
	const char *name;
	const struct device *device;
	struct wisp_counter *state;
};

/* clang-format off */
#define counter_STATE(node_id)                                                                     \
	static struct wisp_counter TABLE(node_id, counter_states)[DT_PROP_LEN(node_id, counters)];
#define counter_GRANT(node_id, prop, idx) {                                                        \
	.name = DT_PROP_BY_IDX(node_id, counter_names, idx),                                       \
	.device = DEVICE_DT_GET(DT_PHANDLE_BY_IDX(node_id, prop, idx)),                            \
	.state = &TABLE(node_id, counter_states)[idx],                                             \
},
/* clang-format on */

#endif /* WISP_DRIVERS_COUNTER_H_ */
