/* SPDX-License-Identifier: Apache-2.0 */

/* Works longer than a heartbeat allows, but says that it gets on. */

#include <wisp.h>

int main(void)
{
	for (int i = 0; i < 8; i++) {
		wisp_timer_sleep_ms(200);
		wisp_lifecycle_heartbeat();
	}
	return 0;
}
