/* SPDX-License-Identifier: Apache-2.0 */

/* An update that does not work. */

#include <wisp.h>

int main(void)
{
	wisp_timer_sleep_ms(700);
	__builtin_trap();
}
