/* SPDX-License-Identifier: Apache-2.0 */

#include <zephyr/kernel.h>
#include <zephyr/logging/log.h>

#include <wisp/wisp.h>

LOG_MODULE_REGISTER(main);

WISP_APP_DEFINE(good, "good", CONFIG_WISP_MEMORY_SIZE);
WISP_APP_DEFINE(bad, "bad", CONFIG_WISP_MEMORY_SIZE);

static int run(const struct wisp_app *app, const char *image)
{
	int ret = wisp_app_load_embedded(app, image);

	if (ret == 0) {
		ret = wisp_app_start(app);
	}
	if (ret != 0) {
		LOG_ERR("%s cannot be started: %d", image, ret);
	}
	return ret;
}

int main(void)
{
	struct wisp_app_status status;

	if (run(&good, "ticker") != 0) {
		return 0;
	}
	k_msleep(250);

	/* An app that writes outside of its memory ends without effect on the other one. */
	if (run(&bad, "trapper") == 0) {
		(void)wisp_app_join(&bad, K_FOREVER);
		wisp_app_status(&bad, &status);
		LOG_INF("trapper ended: %s", wisp_trap_text(status.trap));
	}
	k_msleep(250);

	/* An app that computes without end can be stopped. */
	if (run(&bad, "spinner") == 0) {
		k_msleep(250);
		(void)wisp_app_stop(&bad);
		(void)wisp_app_join(&bad, K_FOREVER);
		LOG_INF("spinner ended");
	}
	k_msleep(250);

	wisp_app_status(&good, &status);
	LOG_INF("ticker is %s", status.state == WISP_APP_RUNNING ? "still running" : "gone");

	/* An app that sleeps can be stopped as well. */
	(void)wisp_app_stop(&good);
	(void)wisp_app_join(&good, K_FOREVER);
	LOG_INF("all done");
	return 0;
}
