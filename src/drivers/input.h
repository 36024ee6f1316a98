/* SPDX-License-Identifier: Apache-2.0 */

/* Grants of input devices, and the queue of each between the input subsystem and the app. */

#ifndef WISP_DRIVERS_INPUT_H_
#define WISP_DRIVERS_INPUT_H_

#include <zephyr/input/input.h>
#include <zephyr/kernel.h>

#include "border/shim.h"
#include "drivers/event.h"

struct wisp_input {
	struct k_spinlock lock;
	/* Given when something was reported. */
	struct k_poll_signal changed;
	uint32_t lost;
	uint16_t first;
	uint16_t count;
#ifdef CONFIG_WISP_EVENT
	struct wisp_events *events;
	uint8_t index;
	bool watched;
	/* True if an event was raised for the reports that wait. */
	bool told;
#endif
	bool open;
	struct wisp_queued_report {
		int64_t ticks;
		int32_t value;
		uint16_t code;
		uint8_t type;
		uint8_t sync;
	} queue[CONFIG_WISP_INPUT_QUEUE];
};

/* Called by the input subsystem for each report of a granted device. */
void wisp_input_report(struct input_event *event, void *user_data);

struct wisp_input_grant {
	const char *name;
	const struct device *device;
	struct wisp_input *input;
};

/* clang-format off */
/* Expands the name before INPUT_CALLBACK_DEFINE_NAMED pastes it. */
#define INPUT_CALLBACK(device, input, name)                                                        \
	INPUT_CALLBACK_DEFINE_NAMED(device, wisp_input_report, input, name);
#define INPUT_LISTEN(node_id, prop, idx)                                                           \
	INPUT_CALLBACK(DEVICE_DT_GET(DT_PHANDLE_BY_IDX(node_id, prop, idx)),                       \
		       &TABLE(node_id, input_queues)[idx],                                         \
		       _CONCAT(_CONCAT(TABLE(node_id, input), _), idx))
#define INPUT_QUEUE(node_id, prop, idx)                                                            \
	[idx] = {.changed = K_POLL_SIGNAL_INITIALIZER(TABLE(node_id, input_queues)[idx].changed)},
#define input_STATE(node_id)                                                                       \
	static struct wisp_input TABLE(node_id, input_queues)[] = {                                \
		DT_FOREACH_PROP_ELEM(node_id, inputs, INPUT_QUEUE)};                               \
	DT_FOREACH_PROP_ELEM(node_id, inputs, INPUT_LISTEN)
#define input_GRANT(node_id, prop, idx) {                                                          \
	.name = DT_PROP_BY_IDX(node_id, input_names, idx),                                         \
	.device = DEVICE_DT_GET(DT_PHANDLE_BY_IDX(node_id, prop, idx)),                            \
	.input = &TABLE(node_id, input_queues)[idx],                                               \
},
/* clang-format on */

#endif /* WISP_DRIVERS_INPUT_H_ */
