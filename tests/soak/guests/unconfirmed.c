/* SPDX-License-Identifier: Apache-2.0 */

/* An update that works and never says so. */

#include <wisp.h>

int main(void)
{
	for (;;) {
		wisp_timer_sleep_ms(1000);
		wisp_lifecycle_heartbeat();
	}
}
