/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The firmware of a device whose apps come later. The app storage starts what is installed;
 * the shell and SMP clients install. Nothing is left to do here.
 */

#include <zephyr/logging/log.h>

LOG_MODULE_REGISTER(main);

int main(void)
{
	LOG_INF("ready for apps");
	return 0;
}
