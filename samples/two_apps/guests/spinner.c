/* SPDX-License-Identifier: Apache-2.0 */

#include <stdio.h>

int main(void)
{
	volatile unsigned int turns = 0;

	puts("about to compute without end");
	for (;;) {
		turns++;
	}
}
