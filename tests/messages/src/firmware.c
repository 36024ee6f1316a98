/* SPDX-License-Identifier: Apache-2.0 */

/* Messages between apps, and the firmware's part in them. */

#include <zephyr/ztest.h>

#include <wisp/channel.h>

#include "support.h"

ZTEST_SUITE(messages, NULL, NULL, NULL, NULL, NULL);

struct guarded {
	uint32_t number;
};

static bool even(const void *message, size_t size)
{
	ARG_UNUSED(size);
	return ((const struct guarded *)message)->number % 2 == 0;
}

ZBUS_CHAN_DEFINE(guarded_chan, struct guarded, even, NULL, ZBUS_OBSERVERS_EMPTY, ZBUS_MSG_INIT(0));

static atomic_t seen;
static uint32_t last_square;

static void look(const struct zbus_channel *channel)
{
	const uint32_t *message = zbus_chan_const_msg(channel);

	last_square = message[1];
	(void)atomic_inc(&seen);
}

ZBUS_LISTENER_DEFINE(looker, look);
ZBUS_CHAN_ADD_OBS(wisp_channel_level, looker, 1);

ZTEST(messages, test_apps_exchange_messages_and_a_slow_one_holds_up_nobody)
{
	const struct zbus_channel *level = WISP_CHANNEL_DT_GET(DT_NODELABEL(level));
	const struct zbus_channel *wish = WISP_CHANNEL_DT_GET(DT_NODELABEL(wish));
	struct wisp_channel_stat stat;
	uint32_t one = 1;

	(void)atomic_clear(&seen);
	begin(PRODUCER, "producer");
	begin(SLEEPER, "sleeper");
	k_msleep(20);
	/* The firmware publishes to an app as an app does. */
	zassert_ok(zbus_chan_pub(wish, &one, K_MSEC(100)));
	wisp_channel_stat(level, &stat);
	zassert_equal(stat.subscribers, 1);
	begin(CONSUMER, "consumer");
	succeed(PRODUCER);
	succeed(CONSUMER);
	succeed(SLEEPER);
	zassert_equal(atomic_get(&seen), 5, "the firmware sees what apps publish");
	zassert_equal(last_square, 25);

	wisp_channel_stat(level, &stat);
	zassert_equal(stat.subscribers, 0, "who ended receives no more");
	zassert_equal(stat.delivered, 8);
	zassert_equal(stat.lost, 2);
	zassert_equal(stat.room, UINT32_MAX);
}

ZTEST(messages, test_what_is_wrong_is_refused)
{
	begin(PRODUCER, "refused");
	succeed(PRODUCER);
	zassert_equal(((const struct guarded *)zbus_chan_const_msg(&guarded_chan))->number, 2);
}

ZTEST(messages, test_publishing_to_nobody_costs_nothing)
{
	uint32_t message[2] = {0};
	struct wisp_channel_stat before;
	struct wisp_channel_stat after;

	wisp_channel_stat(WISP_CHANNEL_DT_GET(DT_NODELABEL(level)), &before);
	for (int i = 0; i < 100; i++) {
		zassert_ok(zbus_chan_pub(WISP_CHANNEL_DT_GET(DT_NODELABEL(level)), message,
					 K_NO_WAIT));
	}
	wisp_channel_stat(WISP_CHANNEL_DT_GET(DT_NODELABEL(level)), &after);
	zassert_equal(after.delivered, before.delivered);
	zassert_equal(after.lost, before.lost);
}
