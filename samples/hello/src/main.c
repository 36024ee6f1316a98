/* SPDX-License-Identifier: Apache-2.0 */

#include <zephyr/kernel.h>
#include <zephyr/logging/log.h>

#include <wisp/wisp.h>

LOG_MODULE_REGISTER(main);

WISP_APP_DEFINE(hello, "hello", CONFIG_WISP_MEMORY_SIZE);

int main(void)
{
	struct wisp_app_status status;
	int ret;

	ret = wisp_app_load_embedded(&hello, "hello");
	if (ret == 0) {
		ret = wisp_app_start(&hello);
	}
	if (ret != 0) {
		LOG_ERR("the app cannot be started: %d", ret);
		return 0;
	}

	(void)wisp_app_join(&hello, K_FOREVER);
	wisp_app_status(&hello, &status);
	LOG_INF("%u bytes of the arena used, %u of them linear memory", status.arena_used,
		status.memory_used);
	return 0;
}
