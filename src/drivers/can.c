/* SPDX-License-Identifier: Apache-2.0 */

#include <errno.h>
#include <string.h>

#include <zephyr/drivers/can.h>
#include <zephyr/kernel.h>
#include <zephyr/sys/slist.h>
#include <zephyr/sys/util.h>

#include <wisp/wisp.h>

#include "app/deadline.h"
#include "app/fault.h"
#include "app/grants.h"
#include "border/errno.h"
#include "border/shim.h"
#include "drivers/can.h"

/* Time after which a controller without room is tried again, because the firmware fills it, too. */
#define RETRY_US 1000

BUILD_ASSERT(CAN_STATE_ERROR_ACTIVE == 0 && CAN_STATE_ERROR_WARNING == 1 &&
		     CAN_STATE_ERROR_PASSIVE == 2 && CAN_STATE_BUS_OFF == 3 &&
		     CAN_STATE_STOPPED == 4,
	     "the states of wisp:can@1 are Zephyr's");

/*
 * Rust passes only indices that a search returned. The check limits the effect of a mistake there.
 */
static const struct wisp_can_grant *granted(const struct wisp_app *app, uint32_t can)
{
	if (app->grants == NULL || can >= app->grants->can_count) {
		return NULL;
	}
	return &app->grants->can[can];
}

int32_t wisp_shim_can_find(const struct wisp_app *app, const uint8_t *label, size_t length)
{
	return (app->grants == NULL) ? -1
				     : wisp_grant_find(app->grants->can, app->grants->can_count,
						       sizeof(app->grants->can[0]), label, length);
}

#ifdef CONFIG_WISP_EVENT

static void raise_event(struct wisp_can *can)
{
	bool due = false;

	K_SPINLOCK(&can->lock) {
		due = can->watched && !can->told && can->count > 0;
		if (due) {
			/* If the queue of events is full, the next frame tries again. */
			can->told = wisp_events_add(can->events, WISP_EVENT_CAN, can->index, 0);
		}
	}
	if (due) {
		wisp_events_announce(can->events);
	}
}

uint32_t wisp_shim_can_watch(const struct wisp_app *app, uint32_t can, bool on)
{
	const struct wisp_can_grant *grant = granted(app, can);

	if (grant == NULL) {
		return WISP_ENODEV;
	}
	K_SPINLOCK(&grant->can->lock) {
		grant->can->watched = on;
		grant->can->told = false;
		grant->can->events = app->grants->events;
		grant->can->index = (uint8_t)can;
		/* With the lock, so that the event of a frame that comes now is not dropped. */
		wisp_events_drop(app->grants->events, WISP_EVENT_CAN, (uint8_t)can);
	}
	raise_event(grant->can);
	return 0;
}

#else

static void raise_event(struct wisp_can *can)
{
	ARG_UNUSED(can);
}

uint32_t wisp_shim_can_watch(const struct wisp_app *app, uint32_t can, bool on)
{
	ARG_UNUSED(app);
	ARG_UNUSED(can);
	ARG_UNUSED(on);
	return WISP_ENOTSUP;
}

#endif /* CONFIG_WISP_EVENT */

/*
 * Apps that wait for room in a controller, in the order in which they came. Of those with the
 * highest priority, the first is the only one that may hand the controller a frame.
 */
static struct k_spinlock line_lock;
static sys_slist_t line = SYS_SLIST_STATIC_INIT(&line);

/* Returns whose turn it is of those that wait for a controller, or NULL. The lock is held. */
static struct wisp_can *first_in_line(const struct device *device)
{
	struct wisp_can *first = NULL;
	struct wisp_can *can;

	SYS_SLIST_FOR_EACH_CONTAINER(&line, can, node) {
		/* A lower number is a higher priority. */
		if (can->device == device && (first == NULL || can->priority < first->priority)) {
			first = can;
		}
	}
	return first;
}

/* Lets the one whose turn it is of those that wait for a controller try. */
static void call_next(const struct device *device)
{
	struct wisp_can *next = NULL;

	K_SPINLOCK(&line_lock) {
		next = first_in_line(device);
	}
	if (next != NULL) {
		(void)k_poll_signal_raise(&next->changed, 0);
	}
}

/* Returns true if it is the app's turn. Takes the last place in line if the app has none. */
static bool is_turn(struct wisp_can *can)
{
	bool is_first = false;

	K_SPINLOCK(&line_lock) {
		if (!sys_slist_find(&line, &can->node, NULL)) {
			can->priority = k_thread_priority_get(k_current_get());
			sys_slist_append(&line, &can->node);
		}
		is_first = first_in_line(can->device) == can;
	}
	return is_first;
}

static void leave_line(struct wisp_can *can)
{
	bool was_there = false;

	K_SPINLOCK(&line_lock) {
		was_there = sys_slist_find_and_remove(&line, &can->node);
	}
	if (was_there) {
		call_next(can->device);
	}
}

static void received(const struct device *dev, struct can_frame *frame, void *user_data)
{
	struct wisp_can *can = user_data;

	ARG_UNUSED(dev);
	K_SPINLOCK(&can->lock) {
		uint32_t last = (can->first + can->count) % CONFIG_WISP_CAN_QUEUE;
		struct wisp_queued_frame *place = &can->queue[last];

		/* The driver's thread may have looked at a filter before it was removed. */
		if (!can->open) {
			K_SPINLOCK_BREAK;
		}
		/* The firmware may use CAN FD, whose frames can be longer. */
		if (can->count == CONFIG_WISP_CAN_QUEUE || frame->dlc > sizeof(place->frame.data)) {
			can->lost += (can->lost < UINT32_MAX);
			K_SPINLOCK_BREAK;
		}
		place->ticks = k_uptime_ticks();
		place->frame = (struct wisp_can_frame){
			.id = frame->id,
			.length = frame->dlc,
			.extended = (frame->flags & CAN_FRAME_IDE) != 0,
			.remote = (frame->flags & CAN_FRAME_RTR) != 0,
		};
		if (!place->frame.remote) {
			memcpy(place->frame.data, frame->data, frame->dlc);
		}
		can->count++;
	}
	raise_event(can);
	(void)k_poll_signal_raise(&can->changed, 0);
}

uint32_t wisp_shim_can_open(const struct wisp_app *app, uint32_t can)
{
	const struct wisp_can_grant *grant = granted(app, can);
	int ret;

	if (grant == NULL || !device_is_ready(grant->can->device)) {
		return WISP_ENODEV;
	}
	wisp_shim_can_close(app, can);
	ret = can_start(grant->can->device);
	if (ret != 0 && ret != -EALREADY) {
		return wisp_driver_error(ret);
	}
	K_SPINLOCK(&grant->can->lock) {
		/* A controller that was stopped has forgotten what it was given. */
		grant->can->pending = (ret == 0) ? 0 : grant->can->pending;
		grant->can->failed = 0;
		grant->can->open = true;
	}
	return 0;
}

void wisp_shim_can_close(const struct wisp_app *app, uint32_t can)
{
	const struct wisp_can_grant *grant = granted(app, can);

	if (grant == NULL || !grant->can->open) {
		return;
	}
	/* A thread that faulted while it waited is still in line. */
	leave_line(grant->can);
	(void)wisp_shim_can_watch(app, can, false);
	K_SPINLOCK(&grant->can->lock) {
		grant->can->open = false;
		/* A thread that faulted in the driver counts a frame that the driver may not have.
		 */
		grant->can->pending -= (grant->can->handing && grant->can->pending > 0);
		grant->can->handing = false;
	}
	wisp_shim_can_unfilter(app, can);
}

uint32_t wisp_shim_can_filter(const struct wisp_app *app, uint32_t can, uint32_t id, uint32_t mask,
			      bool extended)
{
	const struct wisp_can_grant *grant = granted(app, can);
	const struct can_filter filter = {
		.id = id,
		.mask = mask,
		.flags = extended ? CAN_FILTER_IDE : 0,
	};
	int number;

	if (grant == NULL) {
		return WISP_ENODEV;
	}
	if (grant->can->filter_count == CONFIG_WISP_CAN_FILTERS) {
		return WISP_ENOSPC;
	}
	number = can_add_rx_filter(grant->can->device, received, grant->can, &filter);
	if (number < 0) {
		return wisp_driver_error(number);
	}
	grant->can->filters[grant->can->filter_count++] = number;
	return 0;
}

void wisp_shim_can_unfilter(const struct wisp_app *app, uint32_t can)
{
	const struct wisp_can_grant *grant = granted(app, can);

	if (grant == NULL) {
		return;
	}
	while (grant->can->filter_count > 0) {
		grant->can->filter_count--;
		can_remove_rx_filter(grant->can->device,
				     grant->can->filters[grant->can->filter_count]);
	}
	K_SPINLOCK(&grant->can->lock) {
		grant->can->count = 0;
		grant->can->lost = 0;
#ifdef CONFIG_WISP_EVENT
		grant->can->told = false;
#endif
	}
#ifdef CONFIG_WISP_EVENT
	wisp_events_drop(app->grants->events, WISP_EVENT_CAN, (uint8_t)can);
#endif
}

static bool take(struct wisp_can *can, struct wisp_can_frame *frame, uint64_t *time_us,
		 uint32_t *lost)
{
	bool taken = false;

	K_SPINLOCK(&can->lock) {
		const struct wisp_queued_frame *oldest = &can->queue[can->first];

		if (can->count == 0) {
			K_SPINLOCK_BREAK;
		}
		*frame = oldest->frame;
		*time_us = k_ticks_to_us_floor64(oldest->ticks);
		*lost = can->lost;
		can->lost = 0;
		can->first = (can->first + 1) % CONFIG_WISP_CAN_QUEUE;
		can->count--;
#ifdef CONFIG_WISP_EVENT
		can->told = can->told && can->count > 0;
#endif
		taken = true;
	}
	return taken;
}

uint32_t wisp_shim_can_receive(const struct wisp_app *app, uint32_t can, uint64_t until_us,
			       struct wisp_can_frame *frame, uint64_t *time_us, uint32_t *lost)
{
	struct wisp_can *state = app->grants->can[can].can;

	while (!app->data->stopping) {
		uint64_t now = wisp_shim_uptime_us();

		/* Reset before the look, so that a later frame raises it again. */
		k_poll_signal_reset(&state->changed);
		if (take(state, frame, time_us, lost)) {
			return WISP_WAIT_EVENT;
		}
		if (until_us <= now) {
			return WISP_WAIT_NOTHING;
		}
		wisp_app_wait(app, &state->changed, until_us - now);
	}
	return WISP_WAIT_STOP;
}

static void sent(const struct device *dev, int error, void *user_data)
{
	struct wisp_can *can = user_data;

	K_SPINLOCK(&can->lock) {
		can->pending -= (can->pending > 0);
		can->failed += (error != 0 && can->failed < UINT32_MAX);
	}
	(void)k_poll_signal_raise(&can->changed, 0);
	call_next(dev);
}

/*
 * Returns -EAGAIN if the app has given the controller enough frames, if other apps came before, or
 * if the controller has no room.
 */
static int try_to_send(struct wisp_can *can, const struct can_frame *frame)
{
	int ret;

	/* Only this thread makes it more. Who may not send yet does not hold up the line. */
	if (can->pending >= CONFIG_WISP_CAN_PENDING || !is_turn(can)) {
		return -EAGAIN;
	}
	K_SPINLOCK(&can->lock) {
		/* Before the call, because the frame may be sent before the call returns. */
		can->pending++;
		can->handing = true;
	}
	ret = can_send(can->device, frame, K_NO_WAIT, sent, can);
	K_SPINLOCK(&can->lock) {
		can->handing = false;
		can->pending -= (ret != 0 && can->pending > 0);
	}
	return ret;
}

uint32_t wisp_shim_can_send(const struct wisp_app *app, uint32_t can,
			    const struct wisp_can_frame *frame, uint64_t until_us, uint32_t *error)
{
	struct wisp_can *state = app->grants->can[can].can;
	uint32_t result = WISP_WAIT_STOP;
	struct can_frame out = {
		.id = frame->id,
		.dlc = frame->length,
		.flags =
			(frame->extended ? CAN_FRAME_IDE : 0) | (frame->remote ? CAN_FRAME_RTR : 0),
	};

	memcpy(out.data, frame->data, sizeof(frame->data));
	while (!app->data->stopping) {
		uint64_t now = wisp_shim_uptime_us();
		int ret;

		k_poll_signal_reset(&state->changed);
		ret = try_to_send(state, &out);
		if (ret != -EAGAIN) {
			*error = wisp_driver_error(ret);
			result = WISP_WAIT_EVENT;
			break;
		}
		if (until_us <= now) {
			result = WISP_WAIT_NOTHING;
			break;
		}
		/* One that faulted in line has to leave it. */
		wisp_fault_detect_others(app);
		wisp_app_wait(app, &state->changed, MIN(until_us - now, RETRY_US));
	}
	leave_line(state);
	return result;
}

uint32_t wisp_shim_can_state(const struct wisp_app *app, uint32_t can, uint32_t *state)
{
	const struct wisp_can_grant *grant = granted(app, can);
	enum can_state now;
	int ret;

	if (grant == NULL) {
		return WISP_ENODEV;
	}
	ret = can_get_state(grant->can->device, &now, NULL);
	if (ret == 0) {
		*state = (uint32_t)now;
	}
	return wisp_driver_error(ret);
}

uint32_t wisp_shim_can_failed(const struct wisp_app *app, uint32_t can)
{
	const struct wisp_can_grant *grant = granted(app, can);
	uint32_t failed = 0;

	if (grant != NULL) {
		K_SPINLOCK(&grant->can->lock) {
			failed = grant->can->failed;
			grant->can->failed = 0;
		}
	}
	return failed;
}
