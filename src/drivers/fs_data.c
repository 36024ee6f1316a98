/* SPDX-License-Identifier: Apache-2.0 */

/* The contents of files in folders under grant. A file belongs to the app that opened it. */

#include <errno.h>

#include <zephyr/fs/fs.h>
#include <zephyr/sys/util.h>

#include <wisp/wisp.h>

#include "app/grants.h"
#include "border/shim.h"
#include "drivers/fs.h"

/* Bytes between two checks whether the app has to stop. */
#define PIECE 512

static struct wisp_fs_object *file_at(const struct wisp_app *app, uint32_t object)
{
	struct wisp_fs_object *found = wisp_fs_object_at(app, object);

	return (found != NULL && found->kind == WISP_FS_FILE) ? found : NULL;
}

/* A seek stores what was written: only where the file does not stand there already. */
static int seek(struct wisp_fs_object *file, uint32_t position)
{
	if (fs_tell(&file->file) == (off_t)position) {
		return 0;
	}
	return fs_seek(&file->file, (off_t)position, FS_SEEK_SET);
}

/* Reads at the position, which lies in the file. */
static uint32_t read_pieces(const struct wisp_app *app, struct wisp_fs_object *file,
			    uint32_t position, uint8_t *buffer, size_t length, size_t *done)
{
	int ret = seek(file, position);

	while (ret >= 0 && *done < length && wisp_shim_app_stop_reason(app) == 0) {
		ret = (int)fs_read(&file->file, buffer + *done, MIN(length - *done, PIECE));
		if (ret <= 0) {
			return wisp_fs_error(ret);
		}
		*done += ret;
	}
	return (ret >= 0 && *done == 0) ? WISP_FS_AGAIN : wisp_fs_error(ret);
}

uint32_t wisp_shim_fs_read(const struct wisp_app *app, uint32_t object, uint64_t position,
			   uint8_t *buffer, size_t length, size_t *done)
{
	struct wisp_fs_object *file = file_at(app, object);
	uint32_t error;

	*done = 0;
	if (file == NULL) {
		return WISP_FS_BAD_HANDLE;
	}
	if (position >= file->size || length == 0) {
		return 0;
	}
	error = wisp_fs_call(app);
	if (error == 0) {
		error = read_pieces(app, file, (uint32_t)position, buffer, length, done);
		wisp_fs_return(app);
	}
	return error;
}

/* Lengthens a file with zeros, a block at a time, or cuts it. */
static int resize(const struct wisp_app *app, struct wisp_fs_object *file, uint32_t size)
{
	uint32_t block = app->grants->fs->folders[file->folder].block;

	while (file->size != size) {
		uint32_t next = MIN(size, ROUND_UP(file->size + 1, block));
		int ret;

		if (wisp_shim_app_stop_reason(app) != 0) {
			return -EAGAIN;
		}
		ret = fs_truncate(&file->file, (off_t)next);
		if (ret != 0) {
			return ret;
		}
		file->size = next;
	}
	return 0;
}

/* Charges a file with another size. wisp_shim_fs_resize() and _write() then make it so. */
static uint32_t charge_size(const struct wisp_app *app, const struct wisp_fs_object *file,
			    uint32_t before, uint32_t after)
{
	uint32_t error;

	error = wisp_fs_enter(app, file->folder, true);
	if (error != 0) {
		return error;
	}
	error = wisp_fs_charge(app, file->folder,
			       wisp_fs_cost(app, file->folder, WISP_FS_FILE, before),
			       wisp_fs_cost(app, file->folder, WISP_FS_FILE, after));
	return wisp_fs_leave(error);
}

/* Returns a file that may be written and have this size, or sets an error. */
static struct wisp_fs_object *writable(const struct wisp_app *app, uint32_t object, uint64_t size,
				       uint32_t *error)
{
	struct wisp_fs_object *file = file_at(app, object);

	*error = 0;
	if (file == NULL || !file->write) {
		*error = WISP_FS_BAD_HANDLE;
	} else if (size > INT32_MAX / 2) {
		*error = WISP_FS_TOO_BIG;
	}
	return file;
}

uint32_t wisp_shim_fs_resize(const struct wisp_app *app, uint32_t object, uint64_t size)
{
	uint32_t error;
	struct wisp_fs_object *file = writable(app, object, size, &error);
	int ret;

	if (error == 0) {
		error = charge_size(app, file, file->size, (uint32_t)size);
	}
	if (error != 0) {
		return error;
	}
	error = wisp_fs_call(app);
	if (error != 0) {
		return error;
	}
	ret = resize(app, file, (uint32_t)size);
	wisp_fs_return(app);
	/* Nothing, unless it failed on the way. */
	(void)charge_size(app, file, (uint32_t)size, file->size);
	return wisp_fs_error(ret);
}

/* Writes at the position, up to which the file reaches. */
static int write_pieces(const struct wisp_app *app, struct wisp_fs_object *file, uint32_t position,
			const uint8_t *bytes, size_t length, size_t *done)
{
	int ret = seek(file, position);

	while (ret >= 0 && *done < length) {
		if (wisp_shim_app_stop_reason(app) != 0) {
			return -EAGAIN;
		}
		ret = (int)fs_write(&file->file, bytes + *done, MIN(length - *done, PIECE));
		if (ret > 0) {
			*done += ret;
			file->size = MAX(file->size, position + (uint32_t)*done);
		} else if (ret == 0) {
			return -ENOSPC;
		}
	}
	return MIN(ret, 0);
}

uint32_t wisp_shim_fs_write(const struct wisp_app *app, uint32_t object, uint64_t position,
			    const uint8_t *bytes, size_t length, size_t *done)
{
	uint32_t error;
	struct wisp_fs_object *file = writable(app, object, position, &error);
	uint64_t end = position + length;
	uint32_t size;
	int ret = 0;

	*done = 0;
	if (error != 0 || length == 0) {
		return error;
	}
	size = (uint32_t)MAX(end, file->size);
	error = (end > INT32_MAX / 2) ? WISP_FS_TOO_BIG : charge_size(app, file, file->size, size);
	if (error != 0) {
		return error;
	}
	error = wisp_fs_call(app);
	if (error != 0) {
		return error;
	}
	if (position > file->size) {
		ret = resize(app, file, (uint32_t)position);
	}
	if (ret == 0) {
		ret = write_pieces(app, file, (uint32_t)position, bytes, length, done);
	}
	wisp_fs_return(app);
	(void)charge_size(app, file, size, file->size);
	if (*done > 0) {
		return 0;
	}
	return wisp_fs_error(ret);
}

uint32_t wisp_shim_fs_sync(const struct wisp_app *app, uint32_t object)
{
	struct wisp_fs_object *file = file_at(app, object);
	uint32_t error = (file == NULL) ? WISP_FS_BAD_HANDLE : wisp_fs_call(app);

	if (error == 0) {
		error = wisp_fs_error(fs_sync(&file->file));
		wisp_fs_return(app);
	}
	return error;
}
