/* SPDX-License-Identifier: Apache-2.0 */

#include <zephyr/kernel.h>
#include <zephyr/sys/printk.h>

#include <wisp/wisp.h>

int main(void)
{
	const struct wisp_app *app = WISP_APP_DT_GET(DT_PATH(wisp_apps, chip));
	int ret;

	ret = wisp_app_load_embedded(app, "chip");
	if (ret == 0) {
		ret = wisp_app_start(app);
	}
	if (ret != 0) {
		printk("the app cannot be started: %d\n", ret);
	}
	return 0;
}
