/* SPDX-License-Identifier: Apache-2.0 */

/* An app whose image is large: a table that it reads. */

#include <stdio.h>

static const volatile unsigned char table[3400] = {[0 ... 3399] = 7};

int main(void)
{
	unsigned int sum = 0;

	for (unsigned int i = 0; i < sizeof(table); i++) {
		sum += table[i];
	}
	printf("the table's sum is %u\n", sum);
	return 0;
}
