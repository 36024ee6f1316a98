/* SPDX-License-Identifier: Apache-2.0 */

#include <zephyr/kernel.h>
#include <zephyr/logging/log.h>

#include <wisp/wisp.h>

LOG_MODULE_REGISTER(main);

int main(void)
{
	const struct wisp_app *blinky = WISP_APP_DT_GET(DT_PATH(wisp_apps, blinky));
	int ret;

	ret = wisp_app_load_embedded(blinky, "blinky");
	if (ret == 0) {
		ret = wisp_app_start(blinky);
	}
	if (ret != 0) {
		LOG_ERR("the app cannot be started: %d", ret);
	}
	return 0;
}
