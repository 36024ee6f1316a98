/* SPDX-License-Identifier: Apache-2.0 */
/* title: two components composed: a trap in a function of a program in C */
/* stdout: the next colour is green */
/* trap: unreachable */
/* line: `last` at traps.c:17 */
/* line: `exports_wasi_cli_run_run` at traps.c:30 */
/* A trap in code that moved when it was linked: its frames have lines of source. */
#include <stdio.h>

#include <command.h>

/* Ends the program. */
__attribute__((noinline)) static void last(const command_string_t *name)
{
	if (name->len > 0) {
		/* the line that a trap names */
		__builtin_trap();
	}
}

bool exports_wasi_cli_run_run(void)
{
	command_string_t name;

	acme_types_colors_name(acme_types_colors_next(ACME_TYPES_COLORS_COLOR_RED), &name);
	printf("the next colour is %.*s\n", (int)name.len, (char *)name.ptr);
	fflush(stdout);
	/* the call must not be the last thing that the function does */
	name.ptr[0] = 'G';
	last(&name);
	command_string_free(&name);
	return true;
}
