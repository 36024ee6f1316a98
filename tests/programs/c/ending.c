/* SPDX-License-Identifier: Apache-2.0 */
/* memory: 16384 */

#include <stdio.h>
#include <stdlib.h>

static void last(void)
{
	puts("last");
}

static void first(void)
{
	puts("first");
}

__attribute__((constructor)) static void before(void)
{
	puts("before main");
}

int main(void)
{
	atexit(last);
	atexit(first);
	printf("no line end");
	fputs("to stderr\n", stderr);
	exit(42);
}
