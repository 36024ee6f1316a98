/* SPDX-License-Identifier: Apache-2.0 */

#include <zephyr/kernel.h>
#include <zephyr/logging/log.h>
#include <zephyr/settings/settings.h>

#include <wisp/wisp.h>

LOG_MODULE_REGISTER(main);

int main(void)
{
	const struct wisp_app *app = WISP_APP_DT_GET(DT_PATH(wisp_apps, sensor_logger));
	int ret;

	/* The values that the app stores are settings, which have to be initialized first. */
	ret = settings_subsys_init();
	if (ret == 0) {
		ret = wisp_app_load_embedded(app, "sensor_logger");
	}
	if (ret == 0) {
		ret = wisp_app_start(app);
	}
	if (ret != 0) {
		LOG_ERR("the app cannot be started: %d", ret);
	}
	return 0;
}
