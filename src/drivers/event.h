/* SPDX-License-Identifier: Apache-2.0 */

/* Queue of an app's events, which interrupts fill. */

#ifndef WISP_DRIVERS_EVENT_H_
#define WISP_DRIVERS_EVENT_H_

#include <zephyr/kernel.h>

#include "border/shim.h"

#ifdef CONFIG_WISP_EVENT

struct wisp_queued_event {
	int64_t ticks;
	uint8_t kind;
	uint8_t source;
	uint8_t value;
};

struct wisp_events {
	struct k_spinlock lock;
	struct k_poll_signal arrived;
	uint32_t lost;
	/* Since boot: number of dropped events, and largest number of waiting events. */
	uint32_t lost_ever;
	uint8_t most;
	uint8_t first;
	uint8_t count;
	struct wisp_queued_event queue[CONFIG_WISP_EVENT_QUEUE];
};

#define WISP_EVENTS_INITIALIZER(_name) {.arrived = K_POLL_SIGNAL_INITIALIZER(_name.arrived)}

/*
 * Adds an event and returns true, or counts it as lost and returns false. Callable from any
 * context.
 */
bool wisp_events_put(struct wisp_events *events, enum wisp_event_kind kind, uint8_t source,
		     uint8_t value);

/*
 * The two halves of wisp_events_put(), for a source that threads feed. The first one is called with
 * the lock of the source held, under which the app also ends its watch. So no event is added after
 * the app has closed the source. The second one wakes the app, and is called without a lock.
 */
bool wisp_events_add(struct wisp_events *events, enum wisp_event_kind kind, uint8_t source,
		     uint8_t value);
void wisp_events_announce(struct wisp_events *events);

/* Removes the events of one source. */
void wisp_events_drop(struct wisp_events *events, enum wisp_event_kind kind, uint8_t source);

#endif /* CONFIG_WISP_EVENT */

#endif /* WISP_DRIVERS_EVENT_H_ */
