/* SPDX-License-Identifier: Apache-2.0 */

/* Runs the same guest in two apps: one has the grant, the other has not. */

#include <zephyr/kernel.h>
#include <zephyr/logging/log.h>

#include <wisp/wisp.h>

LOG_MODULE_REGISTER(main);

static void run(const struct wisp_app *app)
{
	int ret = wisp_app_load_embedded(app, "dimmer");

	if (ret == 0) {
		ret = wisp_app_start(app);
	}
	if (ret == 0) {
		ret = wisp_app_join(app, K_FOREVER);
	}
	if (ret != 0) {
		LOG_ERR("%s: not started: error %d", wisp_app_name(app), ret);
	}
}

int main(void)
{
	run(WISP_APP_DT_GET(DT_NODELABEL(evening)));
	run(WISP_APP_DT_GET(DT_NODELABEL(visitor)));
	LOG_INF("all done");
	return 0;
}
