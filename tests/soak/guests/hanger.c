/* SPDX-License-Identifier: Apache-2.0 */

/* Falls silent after 120 s. */

#include <wisp.h>

int main(void)
{
	wisp_lifecycle_confirm();
	for (int i = 0; i < 60; i++) {
		wisp_lifecycle_heartbeat();
		wisp_timer_sleep_ms(2000);
	}
	for (;;) {
		wisp_timer_sleep_ms(1000000);
	}
}
