/* SPDX-License-Identifier: Apache-2.0 */

/* An app whose image takes several erase blocks: a table that it reads before it confirms itself. */

#include <stdio.h>
#include <wisp.h>

static const volatile unsigned char table[9000] = {[0 ... 8999] = 7};

int main(void)
{
	unsigned int sum = 0;

	for (unsigned int i = 0; i < sizeof(table); i++) {
		sum += table[i];
	}
	printf("the table's sum is %u\n", sum);
	wisp_lifecycle_confirm();
	for (;;) {
		wisp_timer_sleep_ms(1000);
	}
}
