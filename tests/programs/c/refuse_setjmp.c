/* SPDX-License-Identifier: Apache-2.0 */
/* refused: etjmp */

#include <setjmp.h>

static jmp_buf place;

int main(void)
{
	if (setjmp(place) == 0) {
		longjmp(place, 1);
	}
	return 0;
}
