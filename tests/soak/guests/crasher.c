/* SPDX-License-Identifier: Apache-2.0 */

/* Traps after 90 s. */

#include <wisp.h>

int main(void)
{
	wisp_lifecycle_confirm();
	for (int i = 0; i < 90; i++) {
		wisp_timer_sleep_ms(1000);
	}
	__builtin_trap();
}
