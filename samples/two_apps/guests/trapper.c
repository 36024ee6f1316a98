/* SPDX-License-Identifier: Apache-2.0 */

#include <stdio.h>

int main(void)
{
	volatile unsigned int *outside = (unsigned int *)0x7fffff00;

	puts("about to write outside its memory");
	*outside = 1;
	puts("never reached");
	return 0;
}
