/* SPDX-License-Identifier: Apache-2.0 */

/* Folders under grant: what an app has open in them, and how much they hold. */

#ifndef WISP_DRIVERS_FS_H_
#define WISP_DRIVERS_FS_H_

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include <zephyr/fs/fs.h>

#include "border/files.h"

struct wisp_app;

struct wisp_folder_grant {
	/* By which the app knows it. */
	const char *name;
	/* In the file system, without a slash at its end. */
	const char *path;
	/* Bytes that its contents may count for. */
	uint32_t quota;
	bool read_only;
};

/* A folder in a run. */
struct wisp_fs_folder {
	/* Bytes that its contents count for, once they were counted. */
	uint32_t used;
	/* Bytes of a block of the file system. */
	uint32_t block;
	bool exists;
	bool counted;
	/* That it cannot be used was logged in this run. */
	bool warned;
};

/* What an app has open. */
struct wisp_fs_object {
	struct fs_file_t file;
	/* Of a file, kept here because a seek would store what was written. */
	uint32_t size;
	uint8_t folder;
	/* An enum wisp_fs_kind. */
	uint8_t kind;
	bool write;
	char path[WISP_FS_PATH];
};

/* The directory that an app reads. */
struct wisp_fs_listing {
	struct fs_dir_t dir;
	/* The entry before the next: it is read again if the app's buffer had no room for all of
	 * it.
	 */
	struct fs_dirent last;
	/* The entry that comes next. */
	uint64_t next;
	uint32_t object;
	bool open;
};

struct wisp_fs {
	struct wisp_fs_folder *folders;
	struct wisp_fs_object *objects;
	uint64_t *descriptors;
	struct wisp_fs_listing listing;
	uint8_t folder_count;
	uint8_t object_count;
	/* The app's thread is in a function of the file system. */
	bool calling;
};

/* True if the path is the other one or lies in it. */
static inline bool wisp_fs_is_in(const char *path, const char *other)
{
	size_t length = strlen(other);

	return strncmp(path, other, length) == 0 && (path[length] == '\0' || path[length] == '/');
}

/* Returns the app's files, or NULL if it was granted no folder. */
struct wisp_fs *wisp_fs_of(const struct wisp_app *app);

/* Returns what is open under this number, or NULL if nothing is. */
struct wisp_fs_object *wisp_fs_object_at(const struct wisp_app *app, uint32_t object);

/* What file systems fill in. With the lock held. */
extern struct fs_dirent wisp_fs_entry;

/*
 * Takes the lock of all files and makes a folder ready, for a change of it or not. Without
 * success the lock is free again. The other one gives it back and returns the error.
 */
uint32_t wisp_fs_enter(const struct wisp_app *app, uint32_t folder, bool change);
uint32_t wisp_fs_leave(uint32_t error);

/*
 * Notes that the app's thread goes into functions of the file system without the lock. Returns
 * WISP_FS_IO if they can no longer be used. The other one notes that it is back.
 */
uint32_t wisp_fs_call(const struct wisp_app *app);
void wisp_fs_return(const struct wisp_app *app);

/* What has this path: 0 or a negative errno. With the lock held. */
int wisp_fs_stat(const struct wisp_app *app, uint32_t folder, const char *path,
		 struct wisp_fs_facts *facts);

/*
 * Returns true if any app has it open, or something in it. With `writing_only`, open for writing.
 * The caller holds the lock.
 */
bool wisp_fs_is_open(const char *path, bool writing_only);

/* Ends the reading of a directory. */
void wisp_fs_close_listing(struct wisp_fs *fs);

/*
 * Makes the folder if it does not exist, and counts what it holds. Called with the lock of
 * fs.c held.
 */
uint32_t wisp_fs_prepare(const struct wisp_app *app, uint32_t folder);

/* Bytes that a file of this size, or a directory, counts for in a folder that was prepared. */
uint32_t wisp_fs_cost(const struct wisp_app *app, uint32_t folder, enum wisp_fs_kind kind,
		      uint32_t size);

/* Takes bytes of the quota in place of others, or returns WISP_FS_QUOTA if there are not enough. */
uint32_t wisp_fs_charge(const struct wisp_app *app, uint32_t folder, uint32_t before,
			uint32_t after);

/*
 * Gives bytes of the quota back. Needs no count, so that a folder that cannot be counted can be
 * cleared.
 */
void wisp_fs_release(const struct wisp_app *app, uint32_t folder, uint32_t bytes);

/* An error of Zephyr's as an enum wisp_fs_error. */
uint32_t wisp_fs_error(int ret);

#ifdef CONFIG_WISP_FS
/* Closes what a run has left open. */
void wisp_fs_end(const struct wisp_app *app);
/*
 * Called when the app's thread has faulted. If it was in a file system, that file system may be
 * locked, and files cannot be used before the next boot.
 */
void wisp_fs_fault(const struct wisp_app *app);
#else
static inline void wisp_fs_fault(const struct wisp_app *app)
{
	(void)app;
}

static inline void wisp_fs_end(const struct wisp_app *app)
{
	(void)app;
}
#endif

#endif /* WISP_DRIVERS_FS_H_ */
