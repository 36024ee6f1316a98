/* SPDX-License-Identifier: Apache-2.0 */

/*
 * A firmware without apps. The app storage starts installed apps, and the shell and SMP clients
 * install them. So main() has nothing to do.
 */

#include <zephyr/logging/log.h>

LOG_MODULE_REGISTER(main);

int main(void)
{
	LOG_INF("ready for apps");
	return 0;
}
