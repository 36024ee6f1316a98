/* SPDX-License-Identifier: Apache-2.0 */

/*
 * What programs do with files. The argument says what. Ends with the line of a check that failed.
 */

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <wasi/api.h>

#define CHECK(condition)                                                                           \
	do {                                                                                       \
		if (!(condition)) {                                                                \
			exit(__LINE__);                                                            \
		}                                                                                  \
	} while (0)

/* The call fails with this error. */
#define FAILS(call, number)                                                                        \
	do {                                                                                       \
		errno = 0;                                                                         \
		CHECK((call) < 0);                                                                 \
		if (errno != (number)) {                                                           \
			exit(__LINE__ + 10000 * errno);                                            \
		}                                                                                  \
	} while (0)

/* The descriptor of the first folder. */
#define FOLDER 3

static int open_file(const char *path, int how)
{
	return open(path, how, 0666);
}

static void put(const char *path, const char *text)
{
	FILE *file = fopen(path, "w");

	CHECK(file != NULL);
	CHECK(fputs(text, file) >= 0);
	CHECK(fclose(file) == 0);
}

static bool holds(const char *path, const char *text)
{
	char found[32] = {0};
	FILE *file = fopen(path, "r");

	CHECK(file != NULL);
	CHECK(fread(found, 1, sizeof(found) - 1, file) == strlen(text));
	CHECK(fclose(file) == 0);
	return strcmp(found, text) == 0;
}

/* Entries of a directory: their number, and a bit for each of these names. */
static unsigned int list(const char *path, const char *const *names, unsigned int count)
{
	unsigned int entries = 0;
	unsigned int found = 0;
	DIR *directory = opendir(path);
	struct dirent *entry;

	CHECK(directory != NULL);
	while ((entry = readdir(directory)) != NULL) {
		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0) {
			continue;
		}
		entries++;
		for (unsigned int i = 0; i < count; i++) {
			if (strcmp(entry->d_name, names[i]) == 0) {
				found |= 1u << i;
			}
		}
	}
	CHECK(closedir(directory) == 0);
	return entries << 8 | found;
}

static uint8_t pattern(int at)
{
	return (uint8_t)(at * 7 + at / 256);
}

static void write_long(const char *path)
{
	uint8_t bytes[1300];
	uint8_t back[1300];
	int fd = open_file(path, O_CREAT | O_EXCL | O_RDWR);

	for (int i = 0; i < (int)sizeof(bytes); i++) {
		bytes[i] = pattern(i);
	}
	CHECK(fd >= 0);
	CHECK(write(fd, bytes, 700) == 700);
	CHECK(write(fd, bytes + 700, 600) == 600);
	CHECK(lseek(fd, 0, SEEK_CUR) == 1300);
	CHECK(pread(fd, back, sizeof(back), 0) == 1300);
	CHECK(memcmp(bytes, back, sizeof(back)) == 0);
	CHECK(pread(fd, back, 10, 1295) == 5);
	CHECK(pread(fd, back, 10, 1300) == 0);
	CHECK(close(fd) == 0);
}

static void write_all(void)
{
	static const char *const names[] = {"notes", "second", "first"};
	struct stat found;
	int fd;

	put("/first", "one");
	CHECK(holds("/first", "one"));
	CHECK(stat("/first", &found) == 0 && found.st_size == 3 && S_ISREG(found.st_mode));
	CHECK(mkdir("/notes", 0777) == 0);
	FAILS(mkdir("/notes", 0777), EEXIST);
	CHECK(stat("/notes", &found) == 0 && S_ISDIR(found.st_mode));
	write_long("/notes/long");
	FAILS(open_file("/notes/long", O_CREAT | O_EXCL | O_RDWR), EEXIST);
	FAILS(open_file("/notes/missing", O_RDONLY), ENOENT);
	FAILS(open_file("/first/below", O_RDONLY), ENOTDIR);

	/* A gap and a longer file are full of zeros. */
	fd = open_file("/gone", O_CREAT | O_RDWR);
	CHECK(fd >= 0);
	CHECK(pwrite(fd, "x", 1, 600) == 1);
	CHECK(ftruncate(fd, 1200) == 0);
	CHECK(lseek(fd, 0, SEEK_END) == 1200);
	for (int i = 0; i < 1200; i += 100) {
		char byte = 1;

		CHECK(pread(fd, &byte, 1, i) == 1 && byte == (i == 600 ? 'x' : 0));
	}
	CHECK(ftruncate(fd, 1) == 0);
	CHECK(fstat(fd, &found) == 0 && found.st_size == 1);
	CHECK(close(fd) == 0);

	/* What is appended comes last. */
	fd = open_file("/first", O_WRONLY | O_APPEND);
	CHECK(write(fd, "two", 3) == 3);
	CHECK(fsync(fd) == 0);
	CHECK(close(fd) == 0);
	CHECK(holds("/first", "onetwo"));

	CHECK(rename("/first", "/second") == 0);
	CHECK(list("/", names, 3) == (3 << 8 | 3));
	FAILS(unlink("/first"), ENOENT);
	FAILS(unlink("/notes"), EISDIR);
	FAILS(rmdir("/second"), ENOTDIR);
	FAILS(rmdir("/notes"), ENOTEMPTY);
	FAILS(rename("/notes", "/notes/inside"), EINVAL);
	CHECK(rename("/notes/long", "/notes/kept") == 0);
	CHECK(unlink("/second") == 0);
	CHECK(unlink("/gone") == 0);
	CHECK(mkdir("/short", 0777) == 0);
	CHECK(rmdir("/short") == 0);
	CHECK(list("/", names, 3) == (1 << 8 | 1));
}

static void read_again(void)
{
	uint8_t back[1300];
	FILE *file = fopen("/notes/kept", "r");

	CHECK(file != NULL);
	CHECK(fread(back, 1, sizeof(back), file) == sizeof(back));
	CHECK(fclose(file) == 0);
	for (int i = 0; i < (int)sizeof(back); i++) {
		CHECK(back[i] == pattern(i));
	}
	/* A change counts what is there: the directory, and this file. */
	put("/notes/passing", "x");
	CHECK(unlink("/notes/passing") == 0);
}

/* Opens a path as it is, without the library's own view of folders. */
static int raw_open(const char *path, int oflags)
{
	__wasi_fd_t fd;

	return __wasi_path_open(FOLDER, 0, path, (__wasi_oflags_t)oflags,
				__WASI_RIGHTS_FD_READ | __WASI_RIGHTS_FD_WRITE, 0, 0, &fd);
}

static void escape(void)
{
	static const char *const out[] = {"..",          "../secret",      "../shared/greeting",
					  "./../secret", "a/../../secret", "/lfs/secret",
					  "/",           "../writer/a",    "../outside"};
	char longer[160];

	for (unsigned int i = 0; i < sizeof(out) / sizeof(out[0]); i++) {
		CHECK(raw_open(out[i], 0) == __WASI_ERRNO_PERM);
		CHECK(raw_open(out[i], __WASI_OFLAGS_CREAT) == __WASI_ERRNO_PERM);
		CHECK(__wasi_path_create_directory(FOLDER, out[i]) == __WASI_ERRNO_PERM);
		CHECK(__wasi_path_unlink_file(FOLDER, out[i]) == __WASI_ERRNO_PERM);
	}
	put("/inside", "x");
	CHECK(__wasi_path_rename(FOLDER, "inside", FOLDER, "../outside") == __WASI_ERRNO_PERM);
	CHECK(__wasi_path_rename(FOLDER, "../secret", FOLDER, "mine") == __WASI_ERRNO_PERM);
	CHECK(__wasi_path_rename(FOLDER, "inside", FOLDER + 1, "mine") == __WASI_ERRNO_XDEV);
	CHECK(__wasi_path_symlink("../secret", FOLDER, "link") == __WASI_ERRNO_NOTSUP);
	CHECK(__wasi_path_unlink_file(FOLDER, "inside\\..\\..\\secret") == __WASI_ERRNO_INVAL);
	CHECK(__wasi_path_remove_directory(FOLDER, ".") == __WASI_ERRNO_BUSY);
	memset(longer, 'x', sizeof(longer) - 1);
	longer[sizeof(longer) - 1] = '\0';
	CHECK(raw_open(longer, __WASI_OFLAGS_CREAT) == __WASI_ERRNO_NAMETOOLONG);
	CHECK(unlink("/inside") == 0);
}

static void fill(void)
{
	static char block[512];
	int fd = open_file("/large", O_CREAT | O_WRONLY);
	int blocks = 0;

	CHECK(fd >= 0);
	while (write(fd, block, sizeof(block)) == sizeof(block)) {
		blocks++;
		CHECK(blocks < 100);
	}
	CHECK(errno == EDQUOT);
	CHECK(blocks == 15);
	/* What is there can be written over, and not lengthened in another way. */
	CHECK(pwrite(fd, block, sizeof(block), 0) == sizeof(block));
	FAILS(ftruncate(fd, 15 * 512 + 1), EDQUOT);
	FAILS((int)pwrite(fd, block, 1, 1000000), EDQUOT);
	CHECK(close(fd) == 0);
	FAILS(mkdir("/more", 0777), EDQUOT);
}

static void full(void)
{
	FAILS(mkdir("/more", 0777), EDQUOT);
	CHECK(unlink("/large") == 0);
	CHECK(mkdir("/more", 0777) == 0);
	CHECK(rmdir("/more") == 0);
}

static void look(void)
{
	CHECK(holds("/shared/greeting", "hello"));
	FAILS(open_file("/shared/greeting", O_WRONLY), EROFS);
	FAILS(open_file("/shared/new", O_CREAT | O_WRONLY), EROFS);
	FAILS(mkdir("/shared/new", 0777), EROFS);
	FAILS(unlink("/shared/greeting"), EROFS);
	FAILS(rename("/shared/greeting", "/shared/new"), EROFS);
}

/* Opens as much as it can, writes to it, and closes nothing. */
static void leak(void)
{
	char path[] = "/leak0";

	for (int i = 0; i < 3; i++) {
		int fd;

		path[5] = (char)('0' + i);
		fd = open_file(path, O_CREAT | O_TRUNC | O_WRONLY);
		CHECK(fd >= 0);
		CHECK(write(fd, "leak", 4) == 4);
	}
	FAILS(open_file("/leak3", O_CREAT | O_WRONLY), EMFILE);
}

static void busy(void)
{
	int fd = open_file("/busy", O_CREAT | O_WRONLY);
	int other;

	CHECK(fd >= 0);
	FAILS(open_file("/busy", O_RDONLY), EBUSY);
	FAILS(unlink("/busy"), EBUSY);
	FAILS(rename("/busy", "/other"), EBUSY);
	CHECK(close(fd) == 0);
	/* Many may read. */
	fd = open_file("/busy", O_RDONLY);
	other = open_file("/busy", O_RDONLY);
	CHECK(fd >= 0 && other >= 0);
	FAILS(open_file("/busy", O_WRONLY), EBUSY);
	FAILS((int)write(fd, "x", 1), EBADF);
	CHECK(close(fd) == 0 && close(other) == 0);
	CHECK(unlink("/busy") == 0);
}

static void spin(void)
{
	int fd = open_file("/spin", O_CREAT | O_WRONLY);

	CHECK(fd >= 0);
	for (;;) {
		(void)pwrite(fd, "x", 1, 0);
		/* On native_sim time passes only while an app waits. */
		usleep(1000);
	}
}

/* Removes the entries of a directory that it sees, and goes on where its small buffer was full. */
static void empty(int directory)
{
	uint8_t buffer[100];
	__wasi_dircookie_t cookie = 0;
	__wasi_size_t used;

	do {
		__wasi_dirent_t entry;
		size_t next = 0;

		CHECK(__wasi_fd_readdir(directory, buffer, sizeof(buffer), cookie, &used) == 0);
		for (size_t at = 0; at + sizeof(entry) <= used; at = next) {
			char name[16] = {0};

			memcpy(&entry, buffer + at, sizeof(entry));
			next = at + sizeof(entry) + entry.d_namlen;
			if (next > used) {
				break;
			}
			memcpy(name, buffer + at + sizeof(entry), entry.d_namlen);
			cookie = entry.d_next;
			if (entry.d_type == __WASI_FILETYPE_REGULAR_FILE) {
				CHECK(__wasi_path_unlink_file(directory, name) == 0);
			}
		}
	} while (used == sizeof(buffer));
}

static void sweep(void)
{
	int directory;

	CHECK(mkdir("/many", 0777) == 0);
	for (unsigned int i = 0; i < 40; i++) {
		char path[16];

		(void)snprintf(path, sizeof(path), "/many/file%02u", i);
		CHECK(close(open_file(path, O_CREAT | O_WRONLY)) == 0);
	}
	directory = open("/many", O_RDONLY | O_DIRECTORY);
	CHECK(directory >= 0);
	empty(directory);
	CHECK(close(directory) == 0);
	CHECK(rmdir("/many") == 0);
	put("/plain", "x");
	CHECK(__wasi_path_unlink_file(FOLDER, "plain/") == __WASI_ERRNO_NOTDIR);
	CHECK(__wasi_path_rename(FOLDER, "plain", FOLDER, "other/") == __WASI_ERRNO_NOTDIR);
	CHECK(unlink("/plain") == 0);
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		void (*run)(void);
	} all[] = {
		{"write", write_all}, {"again", read_again}, {"escape", escape}, {"fill", fill},
		{"full", full},       {"look", look},        {"leak", leak},     {"busy", busy},
		{"spin", spin},       {"sweep", sweep},
	};

	CHECK(argc == 2);
	for (unsigned int i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		if (strcmp(argv[1], all[i].name) == 0) {
			all[i].run();
			return 0;
		}
	}
	if (strcmp(argv[1], "trap") == 0) {
		leak();
		__builtin_trap();
	}
	if (strcmp(argv[1], "neighbour") == 0) {
		put("/greeting", "hello, too");
		FAILS(open_file("/refused/new", O_CREAT | O_WRONLY), ENOENT);
		return 0;
	}
	if (strcmp(argv[1], "homeless") == 0) {
		FAILS(open_file("/file", O_CREAT | O_WRONLY), ENOENT);
		return 0;
	}
	return 1;
}
