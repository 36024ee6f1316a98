/* SPDX-License-Identifier: Apache-2.0 */

#include <zephyr/kernel.h>
#include <zephyr/logging/log.h>

#include <wisp/wisp.h>

LOG_MODULE_REGISTER(main);

int main(void)
{
	const struct wisp_app *app = WISP_APP_DT_GET(DT_PATH(wisp_apps, uart_bridge));
	int ret;

	ret = wisp_app_load_embedded(app, "uart_bridge");
	if (ret == 0) {
		ret = wisp_app_start(app);
	}
	if (ret != 0) {
		LOG_ERR("the app cannot be started: %d", ret);
	}
	return 0;
}
