/* SPDX-License-Identifier: Apache-2.0 */

#include <zephyr/kernel.h>
#include <zephyr/logging/log.h>

#include <wisp/wisp.h>

LOG_MODULE_REGISTER(main);

static void run(const struct wisp_app *app, const char *image)
{
	int ret = wisp_app_load_embedded(app, image);

	if (ret == 0) {
		ret = wisp_app_start(app);
	}
	if (ret != 0) {
		LOG_ERR("%s cannot be started: %d", image, ret);
	}
}

int main(void)
{
	run(WISP_APP_DT_GET(DT_PATH(wisp_apps, scanner)), "scanner");
	run(WISP_APP_DT_GET(DT_PATH(wisp_apps, beacon)), "beacon");
	return 0;
}
