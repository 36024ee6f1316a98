/* SPDX-License-Identifier: Apache-2.0 */

/* An app that neither crashes nor confirms itself. */

#include <wisp.h>

int main(void)
{
	for (;;) {
		wisp_timer_sleep_ms(1000);
	}
}
