/* SPDX-License-Identifier: Apache-2.0 */
/* trap: unreachable */
/* stdout: about to abort */

#include <stdio.h>
#include <stdlib.h>

int main(void)
{
	puts("about to abort");
	abort();
}
