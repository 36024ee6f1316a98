/* SPDX-License-Identifier: Apache-2.0 */

#include <stdio.h>
#include <wisp.h>

int main(void)
{
	puts("version 2 is about to crash");
	wisp_timer_sleep_ms(100);
	__builtin_trap();
}
