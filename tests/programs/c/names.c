/* SPDX-License-Identifier: Apache-2.0 */
/* trap: unreachable */
/* stdout: one letter is the name of a type in C++ */
/* stderr: 0: `i` */
/* stderr: 1: `d` */
/* stderr: 2: `v` */

#include <stdio.h>

__attribute__((noinline)) int i(int x)
{
	if (x == 7) {
		__builtin_trap();
	}
	return x + 1;
}

__attribute__((noinline)) int d(int x)
{
	return i(x) * 2;
}

__attribute__((noinline)) int v(int x)
{
	return d(x) - 3;
}

int main(int argc, char **argv)
{
	(void)argv;
	puts("one letter is the name of a type in C++");
	return v(argc + 6);
}
