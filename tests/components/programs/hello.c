/* SPDX-License-Identifier: Apache-2.0 */
/* title: `printf` in C, a core module wrapped by `wasm-tools` */
/* stdout: hello from C, 42 */
#include <stdio.h>

int main(void)
{
	printf("hello from C, %d\n", 6 * 7);
	return 0;
}
