/* SPDX-License-Identifier: Apache-2.0 */

#include <stdio.h>

int main(void)
{
	puts("Hello from a C guest");
	for (int i = 1; i <= 3; i++) {
		printf("%d squared is %d\n", i, i * i);
	}
	return 0;
}
