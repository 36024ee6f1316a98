/* SPDX-License-Identifier: Apache-2.0 */

/* Runs a component of stock rustc in a firmware. */

#include <zephyr/kernel.h>
#include <zephyr/sys/printk.h>

#include <wisp/wisp.h>

WISP_APP_DEFINE(app, "app", 24576);

int main(void)
{
	struct wisp_app_status status;
	int ret = wisp_app_load_embedded(&app, "println");

	if (ret == 0) {
		ret = wisp_app_start(&app);
	}
	if (ret == 0) {
		ret = wisp_app_join(&app, K_SECONDS(60));
	}
	if (ret != 0) {
		printk("println: error %d\n", ret);
		return 0;
	}
	wisp_app_status(&app, &status);
	if (status.state != WISP_APP_EXITED) {
		printk("println: failed\n");
		return 0;
	}
	printk("println: status %d, %u bytes of linear memory\n", (int)status.exit_status,
	       status.memory_used);
	return 0;
}
