/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Part of shim.h: folders of a file system that apps are granted. An object is a folder, by
 * its index into the app's grants, or what the app has open, by a number behind these.
 * Paths are those of the file system, NUL-terminated, and lie in the folder whose index is
 * given with them. Results are 0 or an enum wisp_fs_error.
 */

#ifndef WISP_BORDER_FILES_H_
#define WISP_BORDER_FILES_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct wisp_app;

/* Bytes of a path, with its NUL. */
#define WISP_FS_PATH 128

/* Words of 64 bits that a file descriptor takes. Rust knows what is in them. */
#define WISP_FS_DESCRIPTOR_WORDS 2

/* Errors as WASI numbers them. */
enum wisp_fs_error {
	WISP_FS_ACCESS = 2,
	WISP_FS_AGAIN = 6,
	WISP_FS_BAD_HANDLE = 8,
	WISP_FS_BUSY = 10,
	WISP_FS_QUOTA = 19,
	WISP_FS_EXISTS = 20,
	WISP_FS_TOO_BIG = 22,
	WISP_FS_INVALID = 28,
	WISP_FS_IO = 29,
	WISP_FS_IS_DIRECTORY = 31,
	WISP_FS_TOO_MANY_OPEN = 33,
	WISP_FS_NAME_TOO_LONG = 37,
	WISP_FS_NO_ENTRY = 44,
	WISP_FS_NO_MEMORY = 48,
	WISP_FS_NO_SPACE = 51,
	WISP_FS_NOT_DIRECTORY = 54,
	WISP_FS_NOT_EMPTY = 55,
	WISP_FS_NOT_SUPPORTED = 58,
	WISP_FS_READ_ONLY = 69,
	WISP_FS_CROSS_DEVICE = 75,
};

enum wisp_fs_kind {
	WISP_FS_CLOSED,
	WISP_FS_FILE,
	WISP_FS_DIRECTORY,
};

/* How a path is opened. */
enum wisp_fs_how {
	WISP_FS_READ = 1,
	WISP_FS_WRITE = 2,
	WISP_FS_CREATE = 4,
	WISP_FS_EXCLUSIVE = 8,
	WISP_FS_TRUNCATE = 16,
	/* Fails unless it is a directory. */
	WISP_FS_ONLY_DIRECTORY = 32,
};

/* What is known of a file or directory. The kind is an enum wisp_fs_kind. */
struct wisp_fs_facts {
	uint64_t size;
	uint32_t kind;
};

/* Where a directory is. */
struct wisp_fs_place {
	/* Valid until the directory is closed. */
	const char *path;
	/* The folder that it lies in, and how many bytes of the path are that folder's. */
	uint32_t folder;
	uint32_t folder_length;
};

/* Folders that the app was granted, and the name by which it knows one, NUL-terminated. */
uint32_t wisp_shim_fs_folders(const struct wisp_app *app);
const char *wisp_shim_fs_folder_name(const struct wisp_app *app, uint32_t folder);

/* Memory for the app's descriptors and their number, or NULL if it was granted no folder. */
uint64_t *wisp_shim_fs_descriptors(const struct wisp_app *app, size_t *count);

uint32_t wisp_shim_fs_directory(const struct wisp_app *app, uint32_t object,
				struct wisp_fs_place *place);

/* Opens what has a path as an enum wisp_fs_how says. Reports its object and its kind. */
uint32_t wisp_shim_fs_open(const struct wisp_app *app, uint32_t folder, const char *path,
			   uint32_t how, uint32_t *object, uint32_t *kind);
uint32_t wisp_shim_fs_close(const struct wisp_app *app, uint32_t object);

/* These tell how many bytes were read or written: fewer only at the end, or if the app is to stop.
 */
uint32_t wisp_shim_fs_read(const struct wisp_app *app, uint32_t object, uint64_t position,
			   uint8_t *buffer, size_t length, size_t *done);
uint32_t wisp_shim_fs_write(const struct wisp_app *app, uint32_t object, uint64_t position,
			    const uint8_t *bytes, size_t length, size_t *done);

/* Cuts a file or lengthens it with zeros. */
uint32_t wisp_shim_fs_resize(const struct wisp_app *app, uint32_t object, uint64_t size);
uint32_t wisp_shim_fs_sync(const struct wisp_app *app, uint32_t object);

uint32_t wisp_shim_fs_object(const struct wisp_app *app, uint32_t object,
			     struct wisp_fs_facts *facts);
uint32_t wisp_shim_fs_stat(const struct wisp_app *app, uint32_t folder, const char *path,
			   struct wisp_fs_facts *facts);

/*
 * The entry of a directory with this number: the bytes of its name, 0 behind the last one,
 * of which as many as fit are written, and its kind.
 */
uint32_t wisp_shim_fs_entry(const struct wisp_app *app, uint32_t object, uint64_t index,
			    uint8_t *name, size_t size, size_t *length, uint32_t *kind);

uint32_t wisp_shim_fs_make_directory(const struct wisp_app *app, uint32_t folder, const char *path);
/* Removes a file or an empty directory, whichever kind is said. */
uint32_t wisp_shim_fs_remove(const struct wisp_app *app, uint32_t folder, const char *path,
			     uint32_t kind);
uint32_t wisp_shim_fs_rename(const struct wisp_app *app, uint32_t folder, const char *path,
			     const char *to);

#endif /* WISP_BORDER_FILES_H_ */
