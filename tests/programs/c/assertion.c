/* SPDX-License-Identifier: Apache-2.0 */
/* trap: unreachable */
/* stdout: x is 3 */
/* stderr: x == 4 */

#include <assert.h>
#include <stdio.h>

int main(void)
{
	int x = 3;

	printf("x is %d\n", x);
	assert(x == 4);
	return 0;
}
