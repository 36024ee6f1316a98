/* SPDX-License-Identifier: Apache-2.0 */

/* Does not compile with the small stdio. */

#include <stdio.h>

int main(void)
{
	printf("%.2f %d\n", 21.5, 40);
	return 0;
}
