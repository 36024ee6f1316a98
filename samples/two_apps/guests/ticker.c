/* SPDX-License-Identifier: Apache-2.0 */

#include <stdio.h>
#include <wisp.h>

int main(void)
{
	for (int i = 1;; i++) {
		wisp_timer_sleep_ms(100);
		printf("tick %d\n", i);
	}
}
