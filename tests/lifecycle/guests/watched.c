/* SPDX-License-Identifier: Apache-2.0 */

/* Is well for a while, then silent for ever. */

#include <wisp.h>

int main(void)
{
	wisp_lifecycle_confirm();
	for (int i = 0; i < 3; i++) {
		wisp_timer_sleep_ms(100);
		wisp_lifecycle_heartbeat();
	}
	for (;;) {
		wisp_timer_sleep_ms(60000);
	}
}
