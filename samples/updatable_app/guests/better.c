/* SPDX-License-Identifier: Apache-2.0 */

#include <stdio.h>
#include <wisp.h>

/* This version does not confirm itself. The person who installs it confirms it. */
int main(void)
{
	for (int i = 3;; i += 3) {
		wisp_timer_sleep_ms(200);
		printf("version 3 counts %d\n", i);
	}
}
