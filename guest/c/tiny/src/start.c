/* SPDX-License-Identifier: Apache-2.0 */

#include <stddef.h>
#include <wisp.h>

/* clang names main() by its signature. */
int __main_argc_argv(int argc, char **argv);
int __main_void(void);

#define MOST_ARGUMENTS 8
#define MOST_BYTES     128

/*
 * Used only by a main() with arguments. The linker drops it otherwise. Without room for all
 * arguments there are none, argc is 0, and standard error has a line about it.
 */
__attribute__((weak)) int __main_void(void)
{
	static char *argv[MOST_ARGUMENTS + 1];
	static char bytes[MOST_BYTES];
	uint32_t argc;
	uint32_t size;

	if (wisp_wasi_args_sizes_get(&argc, &size) != 0 || argc > MOST_ARGUMENTS ||
	    size > MOST_BYTES || wisp_wasi_args_get(argv, bytes) != 0) {
		static const char text[] =
			"more arguments than the small libc has room for: 8, of 128 bytes in all\n";
		struct {
			const char *data;
			uint32_t size;
		} vector = {text, sizeof(text) - 1};

		(void)wisp_wasi_fd_write(WISP_WASI_STDERR, &vector, 1, &size);
		argc = 0;
	}
	argv[argc] = NULL;
	return __main_argc_argv((int)argc, argv);
}

/* A guest that shall run in firmwares without WASI has a _start() of its own, and no main(). */
__attribute__((weak, export_name("_start"))) void _start(void)
{
	int status = __main_void();

	if (status != 0) {
		wisp_wasi_proc_exit((uint32_t)status);
	}
}
