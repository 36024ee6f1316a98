/* SPDX-License-Identifier: Apache-2.0 */

#include <zephyr/input/input.h>
#include <zephyr/kernel.h>
#include <zephyr/sys/util.h>

#include <wisp/wisp.h>

#include "app/deadline.h"
#include "app/grants.h"
#include "border/shim.h"
#include "drivers/input.h"

/*
 * Rust passes only indices that a search returned. The check limits the effect of a mistake there.
 */
static const struct wisp_input_grant *granted(const struct wisp_app *app, uint32_t input)
{
	if (app->grants == NULL || input >= app->grants->input_count) {
		return NULL;
	}
	return &app->grants->input[input];
}

int32_t wisp_shim_input_find(const struct wisp_app *app, const uint8_t *label, size_t length)
{
	return (app->grants == NULL)
		       ? -1
		       : wisp_grant_find(app->grants->input, app->grants->input_count,
					 sizeof(app->grants->input[0]), label, length);
}

#ifdef CONFIG_WISP_EVENT

static void raise_event(struct wisp_input *input)
{
	bool due = false;

	K_SPINLOCK(&input->lock) {
		due = input->watched && !input->told && input->count > 0;
		if (due) {
			/* If the queue of events is full, the next report tries again. */
			input->told =
				wisp_events_add(input->events, WISP_EVENT_INPUT, input->index, 0);
		}
	}
	if (due) {
		wisp_events_announce(input->events);
	}
}

uint32_t wisp_shim_input_watch(const struct wisp_app *app, uint32_t input, bool on)
{
	const struct wisp_input_grant *grant = granted(app, input);

	if (grant == NULL) {
		return WISP_ENODEV;
	}
	K_SPINLOCK(&grant->input->lock) {
		grant->input->watched = on;
		grant->input->told = false;
		grant->input->events = app->grants->events;
		grant->input->index = (uint8_t)input;
		/* With the lock, so that the event of a report that comes now is not dropped. */
		wisp_events_drop(app->grants->events, WISP_EVENT_INPUT, (uint8_t)input);
	}
	raise_event(grant->input);
	return 0;
}

#else

static void raise_event(struct wisp_input *input)
{
	ARG_UNUSED(input);
}

uint32_t wisp_shim_input_watch(const struct wisp_app *app, uint32_t input, bool on)
{
	ARG_UNUSED(app);
	ARG_UNUSED(input);
	ARG_UNUSED(on);
	return WISP_ENOTSUP;
}

#endif /* CONFIG_WISP_EVENT */

void wisp_input_report(struct input_event *event, void *user_data)
{
	struct wisp_input *input = user_data;
	bool queued = false;

	K_SPINLOCK(&input->lock) {
		uint32_t last = (input->first + input->count) % CONFIG_WISP_INPUT_QUEUE;

		if (!input->open) {
			K_SPINLOCK_BREAK;
		}
		if (input->count == CONFIG_WISP_INPUT_QUEUE) {
			input->lost += (input->lost < UINT32_MAX);
			K_SPINLOCK_BREAK;
		}
		input->queue[last] = (struct wisp_queued_report){
			.ticks = k_uptime_ticks(),
			.value = event->value,
			.code = event->code,
			.type = event->type,
			.sync = event->sync,
		};
		input->count++;
		queued = true;
	}
	if (queued) {
		raise_event(input);
		(void)k_poll_signal_raise(&input->changed, 0);
	}
}

uint32_t wisp_shim_input_open(const struct wisp_app *app, uint32_t input)
{
	const struct wisp_input_grant *grant = granted(app, input);

	if (grant == NULL || !device_is_ready(grant->device)) {
		return WISP_ENODEV;
	}
	wisp_shim_input_close(app, input);
	K_SPINLOCK(&grant->input->lock) {
		grant->input->lost = 0;
		grant->input->open = true;
	}
	return 0;
}

void wisp_shim_input_close(const struct wisp_app *app, uint32_t input)
{
	const struct wisp_input_grant *grant = granted(app, input);

	if (grant == NULL || !grant->input->open) {
		return;
	}
	K_SPINLOCK(&grant->input->lock) {
		grant->input->open = false;
		grant->input->count = 0;
	}
	(void)wisp_shim_input_watch(app, input, false);
}

static bool take(struct wisp_input *input, struct wisp_input_event *event)
{
	bool taken = false;

	K_SPINLOCK(&input->lock) {
		const struct wisp_queued_report *oldest = &input->queue[input->first];

		if (input->count == 0) {
			K_SPINLOCK_BREAK;
		}
		event->time_us = k_ticks_to_us_floor64(oldest->ticks);
		event->value = oldest->value;
		event->code = oldest->code;
		event->kind = oldest->type;
		event->sync = oldest->sync;
		input->first = (input->first + 1) % CONFIG_WISP_INPUT_QUEUE;
		input->count--;
#ifdef CONFIG_WISP_EVENT
		input->told = input->told && input->count > 0;
#endif
		taken = true;
	}
	return taken;
}

uint32_t wisp_shim_input_read(const struct wisp_app *app, uint32_t input, uint64_t until_us,
			      struct wisp_input_event *event)
{
	struct wisp_input *queue = app->grants->input[input].input;

	while (!app->data->stopping) {
		uint64_t now = wisp_shim_uptime_us();

		/* Reset before the look, so that a later report raises it again. */
		k_poll_signal_reset(&queue->changed);
		if (take(queue, event)) {
			return WISP_WAIT_EVENT;
		}
		if (until_us <= now) {
			return WISP_WAIT_NOTHING;
		}
		wisp_app_wait(app, &queue->changed, until_us - now);
	}
	return WISP_WAIT_STOP;
}

uint32_t wisp_shim_input_lost(const struct wisp_app *app, uint32_t input)
{
	const struct wisp_input_grant *grant = granted(app, input);
	uint32_t lost = 0;

	if (grant != NULL) {
		K_SPINLOCK(&grant->input->lock) {
			lost = grant->input->lost;
			grant->input->lost = 0;
		}
	}
	return lost;
}
