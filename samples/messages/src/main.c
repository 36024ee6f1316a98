/* SPDX-License-Identifier: Apache-2.0 */

/* Two apps exchange messages. The firmware listens to one of the channels. */

#include <zephyr/kernel.h>
#include <zephyr/logging/log.h>
#include <zephyr/zbus/zbus.h>

#include <wisp/channel.h>
#include <wisp/wisp.h>

LOG_MODULE_REGISTER(main);

static void pump_changed(const struct zbus_channel *channel)
{
	const uint32_t *on = zbus_chan_const_msg(channel);

	LOG_INF("the pump is %s", (*on != 0) ? "on" : "off");
}

ZBUS_LISTENER_DEFINE(pump, pump_changed);

static int start(const struct wisp_app *app)
{
	int ret = wisp_app_load_embedded(app, wisp_app_name(app));

	return (ret != 0) ? ret : wisp_app_start(app);
}

int main(void)
{
	int ret = zbus_chan_add_obs(WISP_CHANNEL_DT_GET(DT_NODELABEL(pump)), &pump, K_FOREVER);

	/* The receiver first, so that it misses nothing. */
	if (ret == 0) {
		ret = start(WISP_APP_DT_GET(DT_PATH(wisp_apps, alarm)));
	}
	if (ret == 0) {
		ret = start(WISP_APP_DT_GET(DT_PATH(wisp_apps, gauge)));
	}
	if (ret != 0) {
		LOG_ERR("not started: error %d", ret);
	}
	return 0;
}
