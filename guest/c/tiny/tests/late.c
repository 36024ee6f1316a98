/* SPDX-License-Identifier: Apache-2.0 */

/* A guest whose format is not known where it is compiled, with a conversion that the small stdio
 * lacks. */

#include <stdarg.h>
#include <stdio.h>

static void say(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	vprintf(format, arguments);
	va_end(arguments);
}

int main(void)
{
	say("%d %.1f %s\n", 1, 2.0, "three");
	return 0;
}
