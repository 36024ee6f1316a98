/* SPDX-License-Identifier: Apache-2.0 */

#include <stdio.h>
#include <wisp.h>

int main(void)
{
	for (int i = 1;; i++) {
		wisp_timer_sleep_ms(200);
		printf("version 1 counts %d\n", i);
		if (i == 3) {
			/* The app works, so it confirms itself. */
			wisp_lifecycle_confirm();
		}
	}
}
