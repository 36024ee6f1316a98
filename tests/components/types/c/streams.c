/* SPDX-License-Identifier: Apache-2.0 */
/* title: three components composed: a program in C with what libc has of WASI, and its library
 * twice */
/* stdout: argument one */
/* stdout: argument two */
/* stdout: PLACE=board */
/* stdout: the input is at its end */
/* stdout: it slept */
/* stdout: random bytes differ */
/* stdout: no file */
/* stdout: the blue pile */
/* A part that was built for preview 1 and is composed with another one. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#include <command.h>

/* The arguments: a reactor has no `main` that gets them. */
extern int32_t __imported_wasi_snapshot_preview1_args_sizes_get(int32_t, int32_t)
	__attribute__((__import_module__("wasi_snapshot_preview1"),
		       __import_name__("args_sizes_get")));
extern int32_t __imported_wasi_snapshot_preview1_args_get(int32_t, int32_t)
	__attribute__((__import_module__("wasi_snapshot_preview1"), __import_name__("args_get")));

static void arguments(void)
{
	uint32_t count, size;

	if (__imported_wasi_snapshot_preview1_args_sizes_get((int32_t)&count, (int32_t)&size) !=
	    0) {
		return;
	}
	char *texts = malloc(size);
	char **list = malloc((count + 1) * sizeof(*list));

	list[count] = "behind the list";
	if (__imported_wasi_snapshot_preview1_args_get((int32_t)list, (int32_t)texts) != 0) {
		return;
	}
	for (uint32_t i = 1; i < count; i++) {
		printf("argument %s\n", list[i]);
	}
	if (strcmp(list[count], "behind the list") != 0) {
		printf("the list is too long\n");
	}
}

static int64_t nanoseconds(const struct timespec *time)
{
	return time->tv_sec * 1000000000LL + time->tv_nsec;
}

/* Writes all pieces, also with a host that takes a part of them at once. */
static bool write_all(struct iovec *pieces, int count)
{
	while (count > 0) {
		ssize_t written = writev(STDOUT_FILENO, pieces, count);

		if (written < 0) {
			return false;
		}
		for (; count > 0 && (size_t)written >= pieces->iov_len; count--, pieces++) {
			written -= pieces->iov_len;
		}
		if (count > 0) {
			pieces->iov_base = (char *)pieces->iov_base + written;
			pieces->iov_len -= written;
		}
	}
	return true;
}

bool exports_wasi_cli_run_run(void)
{
	char line[16];
	struct timespec before, after, pause = {.tv_nsec = 2000000};
	unsigned char random[2][16];
	command_string_t name;
	struct iovec pieces[] = {{"the ", 4}, {NULL, 0}, {NULL, 0}, {" pile\n", 6}};

	arguments();
	printf("PLACE=%s\n", getenv("PLACE"));
	printf("%s\n", fgets(line, sizeof(line), stdin) ? line : "the input is at its end");
	clock_gettime(CLOCK_MONOTONIC, &before);
	nanosleep(&pause, NULL);
	clock_gettime(CLOCK_MONOTONIC, &after);
	printf("%s\n", nanoseconds(&after) - nanoseconds(&before) >= pause.tv_nsec
			       ? "it slept"
			       : "it did not sleep");
	if (getentropy(random[0], sizeof(random[0])) != 0 ||
	    getentropy(random[1], sizeof(random[1])) != 0) {
		return false;
	}
	printf("random bytes %s\n",
	       memcmp(random[0], random[1], sizeof(random[0])) ? "differ" : "are the same");
	printf("%s\n", fopen("/file", "r") ? "a file" : "no file");
	fflush(stdout);
	acme_types_colors_name(ACME_TYPES_COLORS_COLOR_BLUE, &name);
	pieces[2] = (struct iovec){name.ptr, name.len};
	return write_all(pieces, 4);
}
