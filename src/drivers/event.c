/* SPDX-License-Identifier: Apache-2.0 */

#include <zephyr/kernel.h>
#include <zephyr/sys/util.h>

#include <wisp/wisp.h>

#include "app/deadline.h"
#include "app/grants.h"
#include "drivers/event.h"
#include "border/shim.h"

static struct wisp_queued_event *place(struct wisp_events *events, uint32_t index)
{
	return &events->queue[(events->first + index) % CONFIG_WISP_EVENT_QUEUE];
}

bool wisp_events_add(struct wisp_events *events, enum wisp_event_kind kind, uint8_t source,
		     uint8_t value)
{
	bool taken = false;

	K_SPINLOCK(&events->lock) {
		if (events->count == CONFIG_WISP_EVENT_QUEUE) {
			events->lost++;
			events->lost_ever++;
			K_SPINLOCK_BREAK;
		}
		*place(events, events->count) = (struct wisp_queued_event){
			.ticks = k_uptime_ticks(),
			.kind = kind,
			.source = source,
			.value = value,
		};
		events->count++;
		events->most = MAX(events->most, events->count);
		taken = true;
	}
	return taken;
}

void wisp_events_announce(struct wisp_events *events)
{
	(void)k_poll_signal_raise(&events->arrived, 0);
}

bool wisp_events_put(struct wisp_events *events, enum wisp_event_kind kind, uint8_t source,
		     uint8_t value)
{
	bool taken = wisp_events_add(events, kind, source, value);

	wisp_events_announce(events);
	return taken;
}

void wisp_events_drop(struct wisp_events *events, enum wisp_event_kind kind, uint8_t source)
{
	K_SPINLOCK(&events->lock) {
		uint8_t kept = 0;

		for (uint8_t i = 0; i < events->count; i++) {
			const struct wisp_queued_event *event = place(events, i);

			if (event->kind != kind || event->source != source) {
				*place(events, kept++) = *event;
			}
		}
		events->count = kept;
		if (kept == 0) {
			/* No waiting event remains that could report the lost ones. */
			events->lost = 0;
		}
	}
}

static bool take(struct wisp_events *events, struct wisp_event *event)
{
	bool taken = false;

	K_SPINLOCK(&events->lock) {
		const struct wisp_queued_event *oldest = place(events, 0);

		if (events->count == 0) {
			k_poll_signal_reset(&events->arrived);
			K_SPINLOCK_BREAK;
		}
		event->time_us = k_ticks_to_us_floor64(oldest->ticks);
		event->kind = oldest->kind;
		event->source = oldest->source;
		event->value = oldest->value;
		event->lost = events->lost;
		events->lost = 0;
		events->first = (events->first + 1) % CONFIG_WISP_EVENT_QUEUE;
		events->count--;
		taken = true;
	}
	return taken;
}

uint32_t wisp_shim_event_next(const struct wisp_app *app, uint64_t until_us,
			      struct wisp_event *event)
{
	const struct wisp_app_data *data = app->data;
	struct wisp_events *events = (app->grants == NULL) ? NULL : app->grants->events;

	while (!data->stopping) {
		uint64_t now = wisp_shim_uptime_us();

		if (events != NULL && take(events, event)) {
			return WISP_WAIT_EVENT;
		}
		if (until_us <= now) {
			return WISP_WAIT_NOTHING;
		}
		wisp_app_wait(app, (events == NULL) ? NULL : &events->arrived, until_us - now);
	}
	return WISP_WAIT_STOP;
}
