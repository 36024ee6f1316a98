/* SPDX-License-Identifier: Apache-2.0 */

/* Does its work and ends. */

#include <wisp.h>

int main(void)
{
	wisp_timer_sleep_ms(2000);
	wisp_lifecycle_confirm();
	return 0;
}
