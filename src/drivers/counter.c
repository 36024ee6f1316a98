/* SPDX-License-Identifier: Apache-2.0 */

#include <errno.h>

#include <zephyr/drivers/counter.h>
#include <zephyr/kernel.h>
#include <zephyr/pm/device_runtime.h>

#include <wisp/wisp.h>

#include "app/grants.h"
#include "border/errno.h"
#include "border/shim.h"
#include "drivers/event.h"

/* An app has the counter for itself, and uses the first alarm. */
#define CHANNEL 0

/*
 * Rust passes only indices that a search returned. The check limits the effect of a mistake there.
 */
static const struct wisp_counter_grant *granted(const struct wisp_app *app, uint32_t counter)
{
	if (app->grants == NULL || counter >= app->grants->counter_count) {
		return NULL;
	}
	return &app->grants->counter[counter];
}

int32_t wisp_shim_counter_find(const struct wisp_app *app, const uint8_t *label, size_t length)
{
	return (app->grants == NULL)
		       ? -1
		       : wisp_grant_find(app->grants->counter, app->grants->counter_count,
					 sizeof(app->grants->counter[0]), label, length);
}

uint32_t wisp_shim_counter_open(const struct wisp_app *app, uint32_t counter)
{
	const struct wisp_counter_grant *grant = granted(app, counter);
	int ret;

	if (grant == NULL || !device_is_ready(grant->device)) {
		return WISP_ENODEV;
	}
	wisp_shim_counter_close(app, counter);
	if (!wisp_owner_take(&grant->state->owner, grant->device, CHANNEL)) {
		return WISP_EBUSY;
	}
	ret = pm_device_runtime_get(grant->device);
	if (ret == 0) {
		ret = counter_start(grant->device);
		ret = (ret == -EALREADY) ? 0 : ret;
		if (ret != 0) {
			(void)pm_device_runtime_put(grant->device);
		}
	}
	if (ret != 0) {
		wisp_owner_release(&grant->state->owner);
	}
	return wisp_driver_error(ret);
}

void wisp_shim_counter_close(const struct wisp_app *app, uint32_t counter)
{
	const struct wisp_counter_grant *grant = granted(app, counter);

	if (grant == NULL || !wisp_owner_has(&grant->state->owner)) {
		return;
	}
	(void)wisp_shim_counter_alarm(app, counter, 0);
	(void)pm_device_runtime_put(grant->device);
	wisp_owner_release(&grant->state->owner);
}

uint32_t wisp_shim_counter_frequency(const struct wisp_app *app, uint32_t counter)
{
	const struct wisp_counter_grant *grant = granted(app, counter);

	return (grant == NULL) ? 0 : counter_get_frequency(grant->device);
}

uint32_t wisp_shim_counter_top(const struct wisp_app *app, uint32_t counter)
{
	const struct wisp_counter_grant *grant = granted(app, counter);

	return (grant == NULL) ? 0 : counter_get_top_value(grant->device);
}

uint32_t wisp_shim_counter_read(const struct wisp_app *app, uint32_t counter, uint32_t *ticks)
{
	const struct wisp_counter_grant *grant = granted(app, counter);

	if (grant == NULL) {
		return WISP_ENODEV;
	}
	return wisp_driver_error(counter_get_value(grant->device, ticks));
}

#ifdef CONFIG_WISP_EVENT

static void expired(const struct device *device, uint8_t channel, uint32_t ticks, void *data)
{
	const struct wisp_counter *state = data;

	ARG_UNUSED(device);
	ARG_UNUSED(channel);
	ARG_UNUSED(ticks);
	(void)wisp_events_put(state->events, WISP_EVENT_ALARM, state->index, 0);
}

uint32_t wisp_shim_counter_alarm(const struct wisp_app *app, uint32_t counter, uint32_t ticks)
{
	const struct wisp_counter_grant *grant = granted(app, counter);
	struct counter_alarm_cfg alarm = {.callback = expired, .ticks = ticks};
	int ret;

	if (grant == NULL) {
		return WISP_ENODEV;
	}
	if (counter_get_num_of_channels(grant->device) <= CHANNEL) {
		return (ticks == 0) ? 0 : WISP_ENOTSUP;
	}
	ret = counter_cancel_channel_alarm(grant->device, CHANNEL);
	wisp_events_drop(app->grants->events, WISP_EVENT_ALARM, (uint8_t)counter);
	if (ret != 0 || ticks == 0) {
		return wisp_driver_error(ret);
	}
	grant->state->events = app->grants->events;
	grant->state->index = (uint8_t)counter;
	alarm.user_data = grant->state;
	return wisp_driver_error(counter_set_channel_alarm(grant->device, CHANNEL, &alarm));
}

#else

uint32_t wisp_shim_counter_alarm(const struct wisp_app *app, uint32_t counter, uint32_t ticks)
{
	if (granted(app, counter) == NULL) {
		return WISP_ENODEV;
	}
	return (ticks == 0) ? 0 : WISP_ENOTSUP;
}

#endif /* CONFIG_WISP_EVENT */
