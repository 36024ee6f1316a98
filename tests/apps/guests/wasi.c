/* SPDX-License-Identifier: Apache-2.0 */

/* Tells its arguments and environment, and checks what WASI answers on a board without files. */

#include <stdint.h>
#include <wisp.h>

__attribute__((import_module("test"), import_name("report"))) void report(uint64_t value);

static uint32_t addresses[8];
static char text[64];

/* Reports how many strings there are, and each as its length and first four bytes. */
static void tell(uint32_t count)
{
	report(count);
	for (uint32_t i = 0; i < count; i++) {
		const char *string = (const char *)addresses[i];
		uint64_t length = 0;
		uint32_t first = 0;

		while (string[length] != '\0') {
			if (length < 4) {
				first |= (uint32_t)(uint8_t)string[length] << (8 * length);
			}
			length++;
		}
		report(length << 32 | first);
	}
}

/* Ends with the number of the first line that is wrong. */
#define EXPECT(_call, _error)                                                                      \
	if ((_call) != (_error)) {                                                                 \
		return __LINE__;                                                                   \
	}

int main(void)
{
	static uint8_t record[64];
	uint32_t count, size;
	uint64_t time;

	EXPECT(wisp_wasi_args_sizes_get(&count, &size), 0);
	EXPECT(wisp_wasi_args_get((uint32_t)addresses, (uint32_t)text), 0);
	tell(count);
	EXPECT(wisp_wasi_environ_sizes_get(&count, &size), 0);
	EXPECT(wisp_wasi_environ_get((uint32_t)addresses, (uint32_t)text), 0);
	tell(count);

	EXPECT(wisp_wasi_fd_prestat_get(3, record), WISP_WASI_EBADF);
	EXPECT(wisp_wasi_fd_filestat_get(1, record), 0);
	EXPECT(record[16], 2);
	EXPECT(wisp_wasi_fd_filestat_get(3, record), WISP_WASI_EBADF);
	EXPECT(wisp_wasi_path_open(3, 0, "x", 1, 0, 0, 0, 0, &count), WISP_WASI_EBADF);
	EXPECT(wisp_wasi_path_create_directory(3, "x", 1), WISP_WASI_EBADF);
	EXPECT(wisp_wasi_fd_readdir(0, record, sizeof(record), 0, &size), WISP_WASI_ENOTDIR);
	EXPECT(wisp_wasi_fd_seek(1, 0, 0, &time), WISP_WASI_ESPIPE);
	EXPECT(wisp_wasi_sock_shutdown(1, 0), WISP_WASI_ENOTSOCK);
	EXPECT(wisp_wasi_proc_raise(6), WISP_WASI_ENOSYS);
	EXPECT(wisp_wasi_clock_time_get(2, 0, &time), 0);
	EXPECT(wisp_wasi_clock_time_get(9, 0, &time), WISP_WASI_EINVAL);
	wisp_wasi_proc_exit(256);
}
