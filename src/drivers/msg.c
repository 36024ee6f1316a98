/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Messages: zbus channels, and a queue for each app that subscribes. One listener serves all
 * channels. It copies the message to the queues while zbus holds the channel, in the thread that
 * publishes, and never waits.
 */

#include <string.h>

#include <zephyr/kernel.h>
#include <zephyr/sys/util.h>
#include <zephyr/zbus/zbus.h>

#include <wisp/channel.h>
#include <wisp/wisp.h>

#include "app/grants.h"
#include "border/errno.h"
#include "drivers/event.h"
#include "drivers/msg.h"
#include "border/shim.h"

/* Longest wait for other publishers of the channel. */
#define PUBLISH_TIMEOUT K_MSEC(100)

static const struct wisp_msg_grant *granted(const struct wisp_app *app, uint32_t channel)
{
	if (app->grants == NULL || channel >= app->grants->msg_count) {
		return NULL;
	}
	return &app->grants->msg[channel];
}

/*
 * Raises an event, with the lock of the queue held. If the event queue is full, the next message
 * raises the event.
 */
static void raise_event(const struct wisp_app *app, const struct wisp_msg_grant *grant)
{
#ifdef CONFIG_WISP_EVENT
	grant->end->told = wisp_events_add(app->grants->events, WISP_EVENT_MESSAGE,
					   (uint8_t)(grant - app->grants->msg), 0);
#endif
}

static void announce(const struct wisp_app *app)
{
#ifdef CONFIG_WISP_EVENT
	wisp_events_announce(app->grants->events);
#endif
}

/* Adds a message to a queue. Returns false if the queue is full. */
static bool put(const struct wisp_app *app, const struct wisp_msg_grant *grant, const void *message)
{
	struct wisp_msg_end *end = grant->end;
	bool taken = true;
	bool news = false;

	K_SPINLOCK(&end->lock) {
		if (!end->open) {
			K_SPINLOCK_BREAK;
		}
		if (end->count == grant->length) {
			end->lost++;
			end->lost_untold++;
			taken = false;
			K_SPINLOCK_BREAK;
		}
		memcpy(grant->queue + (end->first + end->count) % grant->length * grant->size,
		       message, grant->size);
		end->count++;
		end->delivered++;
		end->most = MAX(end->most, end->count);
		news = !end->told;
		if (news) {
			raise_event(app, grant);
		}
	}
	if (news) {
		announce(app);
	}
	return taken;
}

static void deliver(const struct zbus_channel *channel)
{
	const void *message = zbus_chan_const_msg(channel);
	const struct wisp_msg_grant *source = NULL;
	uint32_t lost = 0;

	STRUCT_SECTION_FOREACH(wisp_app, app) {
		for (uint32_t i = 0; app->grants != NULL && i < app->grants->msg_count; i++) {
			const struct wisp_msg_grant *grant = &app->grants->msg[i];

			if (grant->channel != channel) {
				continue;
			}
			if (grant->queue != NULL) {
				lost += put(app, grant, message) ? 0 : 1;
			} else if (!k_is_in_isr() && k_current_get() == &app->data->thread) {
				source = grant;
			}
		}
	}
	if (source != NULL) {
		source->end->lost += lost;
	}
}

ZBUS_LISTENER_DEFINE(wisp_msg_listener, deliver);

#define MESSAGE_TYPE(node_id)                                                                      \
	_CONCAT(_CONCAT(wisp_channel_, DT_NODE_FULL_NAME_TOKEN(node_id)), _message)

/* Align messages like a structure of this size, because the firmware reads them as structures. */
#define MESSAGE_ALIGN(size) ((size) % 8 == 0 ? 8 : (size) % 4 == 0 ? 4 : (size) % 2 == 0 ? 2 : 1)

#define DEFINE_CHANNEL(node_id)                                                                    \
	struct MESSAGE_TYPE(node_id) {                                                             \
		uint8_t bytes[DT_PROP(node_id, message_size)];                                     \
	} __aligned(MESSAGE_ALIGN(DT_PROP(node_id, message_size)));                                \
	ZBUS_CHAN_DEFINE(Z_WISP_CHANNEL_DT_NAME(node_id), struct MESSAGE_TYPE(node_id), NULL,      \
			 NULL, ZBUS_OBSERVERS_EMPTY, ZBUS_MSG_INIT(0));

#define OBSERVE_CHANNEL(node_id)                                                                   \
	BUILD_ASSERT(DT_PROP(node_id, message_size) > 0,                                           \
		     "wisp,channels: " DT_NODE_PATH(node_id) " has messages of no bytes");         \
	BUILD_ASSERT(IN_RANGE(DT_PROP(node_id, queue_length), 1, UINT8_MAX),                       \
		     "wisp,channels: " DT_NODE_PATH(node_id) " needs a queue-length of 1 to 255"); \
	COND_CODE_1(DT_NODE_HAS_PROP(node_id, zbus_channel), (), (DEFINE_CHANNEL(node_id)))                                                                                \
	ZBUS_CHAN_ADD_OBS(Z_WISP_CHANNEL_DT_NAME(node_id), wisp_msg_listener, 9);

#define OBSERVE_CHANNELS(node_id) DT_FOREACH_CHILD_STATUS_OKAY(node_id, OBSERVE_CHANNEL)

DT_FOREACH_STATUS_OKAY(wisp_channels, OBSERVE_CHANNELS)

int32_t wisp_shim_msg_find(const struct wisp_app *app, const uint8_t *label, size_t length,
			   bool publish)
{
	for (uint32_t i = 0; app->grants != NULL && i < app->grants->msg_count; i++) {
		const struct wisp_msg_grant *grant = &app->grants->msg[i];

		if ((grant->queue == NULL) == publish && strlen(grant->name) == length &&
		    memcmp(grant->name, label, length) == 0) {
			return (int32_t)i;
		}
	}
	return -1;
}

bool wisp_shim_msg_publishes(const struct wisp_app *app, uint32_t channel)
{
	const struct wisp_msg_grant *grant = granted(app, channel);

	return grant != NULL && grant->queue == NULL;
}

uint32_t wisp_shim_msg_size(const struct wisp_app *app, uint32_t channel)
{
	const struct wisp_msg_grant *grant = granted(app, channel);

	return (grant == NULL) ? 0 : grant->size;
}

static void reset(const struct wisp_msg_grant *grant, bool open)
{
	struct wisp_msg_end *end = grant->end;

	K_SPINLOCK(&end->lock) {
		end->first = 0;
		end->count = 0;
		end->lost_untold = 0;
		end->open = open;
		end->told = false;
	}
}

static void drop_events(const struct wisp_app *app, uint32_t channel)
{
#ifdef CONFIG_WISP_EVENT
	wisp_events_drop(app->grants->events, WISP_EVENT_MESSAGE, (uint8_t)channel);
#endif
}

uint32_t wisp_shim_msg_open(const struct wisp_app *app, uint32_t channel)
{
	const struct wisp_msg_grant *grant = granted(app, channel);

	/*
	 * A channel that the firmware defines may have any type, and zbus copies as many bytes as
	 * the type has.
	 */
	if (grant == NULL || grant->channel->message_size != grant->size) {
		return WISP_ENODEV;
	}
	reset(grant, false);
	drop_events(app, channel);
	reset(grant, true);
	return 0;
}

void wisp_shim_msg_close(const struct wisp_app *app, uint32_t channel)
{
	const struct wisp_msg_grant *grant = granted(app, channel);

	if (grant != NULL) {
		reset(grant, false);
		drop_events(app, channel);
	}
}

uint32_t wisp_shim_msg_publish(const struct wisp_app *app, uint32_t channel, const uint8_t *message,
			       size_t length, uint32_t *lost)
{
	const struct wisp_msg_grant *grant = granted(app, channel);
	uint32_t before;
	int ret;

	if (grant == NULL || grant->queue != NULL || length != grant->size) {
		return WISP_EINVAL;
	}
	/* Only deliver() changes it, which runs in this thread. */
	before = grant->end->lost;
	ret = zbus_chan_pub(grant->channel, message, PUBLISH_TIMEOUT);
	*lost = grant->end->lost - before;
	switch (ret) {
	case 0:
		return 0;
	case -EAGAIN:
	case -EBUSY:
		return WISP_EAGAIN;
	case -ENOMSG:
		return WISP_EINVAL;
	default:
		return wisp_driver_error(ret);
	}
}

void wisp_channel_stat(const struct zbus_channel *channel, struct wisp_channel_stat *stat)
{
	*stat = (struct wisp_channel_stat){.room = UINT32_MAX};
	STRUCT_SECTION_FOREACH(wisp_app, app) {
		for (uint32_t i = 0; app->grants != NULL && i < app->grants->msg_count; i++) {
			const struct wisp_msg_grant *grant = &app->grants->msg[i];

			if (grant->channel != channel || grant->queue == NULL) {
				continue;
			}
			K_SPINLOCK(&grant->end->lock) {
				stat->delivered += grant->end->delivered;
				stat->lost += grant->end->lost;
				if (grant->end->open) {
					stat->subscribers++;
					stat->room =
						MIN(stat->room, grant->length - grant->end->count);
				}
			}
		}
	}
}

uint32_t wisp_shim_msg_room(const struct wisp_app *app, uint32_t channel)
{
	const struct wisp_msg_grant *grant = granted(app, channel);
	struct wisp_channel_stat stat;

	if (grant == NULL) {
		return 0;
	}
	wisp_channel_stat(grant->channel, &stat);
	return stat.room;
}

uint32_t wisp_shim_msg_receive(const struct wisp_app *app, uint32_t channel, uint8_t *message,
			       size_t length)
{
	const struct wisp_msg_grant *grant = granted(app, channel);
	uint32_t ret = 0;

	if (grant == NULL || grant->queue == NULL || length != grant->size) {
		return WISP_EINVAL;
	}
	K_SPINLOCK(&grant->end->lock) {
		struct wisp_msg_end *end = grant->end;

		if (end->count == 0) {
			/*
			 * The app may have received an event for a message that it had already
			 * read.
			 */
			end->told = false;
			ret = WISP_EAGAIN;
			K_SPINLOCK_BREAK;
		}
		memcpy(message, grant->queue + end->first * grant->size, grant->size);
		end->first = (end->first + 1) % grant->length;
		end->count--;
		if (end->count == 0) {
			end->told = false;
		}
	}
	return ret;
}

uint32_t wisp_shim_msg_lost(const struct wisp_app *app, uint32_t channel)
{
	const struct wisp_msg_grant *grant = granted(app, channel);
	uint32_t lost = 0;

	if (grant != NULL) {
		K_SPINLOCK(&grant->end->lock) {
			lost = grant->end->lost_untold;
			grant->end->lost_untold = 0;
		}
	}
	return lost;
}
