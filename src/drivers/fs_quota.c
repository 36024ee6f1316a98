/* SPDX-License-Identifier: Apache-2.0 */

/*
 * How much a folder under grant holds. It is counted once in a run, when the app first
 * changes something, and every change of the app's is added from then on. All of this runs
 * with the lock of fs.c held.
 */

#include <errno.h>
#include <string.h>

#include <zephyr/fs/fs.h>
#include <zephyr/logging/log.h>
#include <zephyr/sys/util.h>

#include <wisp/wisp.h>

#include "app/grants.h"
#include "border/shim.h"
#include "drivers/fs.h"

LOG_MODULE_DECLARE(wisp, CONFIG_WISP_LOG_LEVEL);

/* What a name and its record count for, as on a workstation. */
#define ENTRY_COST 64

/* Directories below a folder whose paths fit have a name of a byte and a slash each. */
#define LEVELS (WISP_FS_PATH / 2)

uint32_t wisp_fs_error(int ret)
{
	if (ret >= 0) {
		return 0;
	}
	switch (-ret) {
	case EACCES:
	case EPERM:
		return WISP_FS_ACCESS;
	case EAGAIN:
		return WISP_FS_AGAIN;
	case EBADF:
		return WISP_FS_BAD_HANDLE;
	case EBUSY:
		return WISP_FS_BUSY;
	case EEXIST:
		return WISP_FS_EXISTS;
	case EFBIG:
		return WISP_FS_TOO_BIG;
	case EINVAL:
		return WISP_FS_INVALID;
	case EISDIR:
		return WISP_FS_IS_DIRECTORY;
	case EMFILE:
	case ENFILE:
		return WISP_FS_TOO_MANY_OPEN;
	case ENAMETOOLONG:
		return WISP_FS_NAME_TOO_LONG;
	case ENOENT:
		return WISP_FS_NO_ENTRY;
	case ENOMEM:
		return WISP_FS_NO_MEMORY;
	case ENOSPC:
		return WISP_FS_NO_SPACE;
	case ENOTDIR:
		return WISP_FS_NOT_DIRECTORY;
	case ENOTEMPTY:
		return WISP_FS_NOT_EMPTY;
	case ENOSYS:
	case ENOTSUP:
		return WISP_FS_NOT_SUPPORTED;
	case EROFS:
		return WISP_FS_READ_ONLY;
	default:
		return WISP_FS_IO;
	}
}

uint32_t wisp_fs_cost(const struct wisp_app *app, uint32_t folder, enum wisp_fs_kind kind,
		      uint32_t size)
{
	uint32_t block = app->grants->fs->folders[folder].block;

	/* LittleFS stores a directory in a pair of blocks. */
	return ENTRY_COST + ((kind == WISP_FS_DIRECTORY) ? 2 * block : ROUND_UP(size, block));
}

/* A walk through a folder. */
struct walk {
	const struct wisp_app *app;
	uint32_t folder;
	uint32_t used;
	size_t length;
	size_t level;
	char path[WISP_FS_PATH];
	/* Entries of each directory on the way that were counted. */
	uint32_t seen[LEVELS];
};

/* There is one at a time. */
static struct walk walk;

/*
 * Counts entries of the directory that the walk is at, up to and with the next directory in
 * it: 1 then, 0 at the end, or a negative errno.
 */
static int count_entries(struct fs_dir_t *dir)
{
	for (uint32_t i = 0;; i++) {
		bool directory;
		int ret = fs_readdir(dir, &wisp_fs_entry);

		if (ret != 0 || wisp_fs_entry.name[0] == '\0') {
			return ret;
		}
		if (wisp_shim_app_stop_reason(walk.app) != 0) {
			return -EAGAIN;
		}
		if (i < walk.seen[walk.level]) {
			continue;
		}
		walk.seen[walk.level]++;
		directory = wisp_fs_entry.type == FS_DIR_ENTRY_DIR;
		walk.used += wisp_fs_cost(walk.app, walk.folder,
					  directory ? WISP_FS_DIRECTORY : WISP_FS_FILE,
					  (uint32_t)wisp_fs_entry.size);
		if (directory) {
			return 1;
		}
	}
}

/* Goes to the directory that was found, or out of the one that ended: false at the end. */
static bool descend(bool found)
{
	if (found) {
		walk.path[walk.length++] = '/';
		strcpy(&walk.path[walk.length], wisp_fs_entry.name);
		walk.length += strlen(wisp_fs_entry.name);
		walk.seen[++walk.level] = 0;
		return true;
	}
	if (walk.level == 0) {
		return false;
	}
	walk.level--;
	walk.length = strrchr(walk.path, '/') - walk.path;
	walk.path[walk.length] = '\0';
	return true;
}

static int count(const struct wisp_app *app, uint32_t folder, const char *path)
{
	int ret;

	walk.app = app;
	walk.folder = folder;
	walk.used = 0;
	walk.level = 0;
	walk.seen[0] = 0;
	walk.length = strlen(path);
	strcpy(walk.path, path);
	do {
		struct fs_dir_t dir;

		fs_dir_t_init(&dir);
		ret = fs_opendir(&dir, walk.path);
		if (ret != 0) {
			return ret;
		}
		ret = count_entries(&dir);
		(void)fs_closedir(&dir);
		if (ret < 0) {
			return ret;
		}
		if (ret == 1 && walk.length + 1 + strlen(wisp_fs_entry.name) >= WISP_FS_PATH) {
			return -ENAMETOOLONG;
		}
	} while (descend(ret == 1));
	return 0;
}

/* Makes the folder if there is none, and asks its file system for the size of a block. */
static int find(const struct wisp_folder_grant *grant, struct wisp_fs_folder *folder)
{
	struct fs_statvfs figures;
	int ret;

	ret = fs_stat(grant->path, &wisp_fs_entry);
	if (ret == -ENOENT && !grant->read_only) {
		ret = fs_mkdir(grant->path);
	}
	/*
	 * The size does not change, and some file systems go through all of their contents to
	 * answer. Nothing is charged in a folder that cannot be changed.
	 */
	if (ret == 0 && folder->block == 0) {
		ret = grant->read_only ? 0 : fs_statvfs(grant->path, &figures);
		if (ret == 0) {
			folder->block = grant->read_only ? 1 : MAX((uint32_t)figures.f_frsize, 1);
		}
	}
	folder->exists = ret == 0;
	return ret;
}

uint32_t wisp_fs_prepare(const struct wisp_app *app, uint32_t folder)
{
	const struct wisp_folder_grant *grant = &app->grants->folders[folder];
	struct wisp_fs_folder *state = &app->grants->fs->folders[folder];
	int ret = state->exists ? 0 : find(grant, state);

	if (ret != 0 && !state->warned) {
		state->warned = true;
		LOG_WRN("%s: its folder %s cannot be used: error %d; is a file system mounted "
			"there?",
			app->name, grant->path, ret);
	}
	return wisp_fs_error(ret);
}

/* Counts what the folder holds, once in a run. */
static uint32_t counted(const struct wisp_app *app, uint32_t folder)
{
	struct wisp_fs_folder *state = &app->grants->fs->folders[folder];
	int ret;

	if (state->counted) {
		return 0;
	}
	ret = count(app, folder, app->grants->folders[folder].path);
	if (ret == 0) {
		state->used = walk.used;
		state->counted = true;
	}
	return wisp_fs_error(ret);
}

uint32_t wisp_fs_charge(const struct wisp_app *app, uint32_t folder, uint32_t before,
			uint32_t after)
{
	const struct wisp_folder_grant *grant = &app->grants->folders[folder];
	struct wisp_fs_folder *state = &app->grants->fs->folders[folder];
	uint32_t error = counted(app, folder);
	uint32_t others;

	if (error != 0) {
		return error;
	}
	others = state->used - MIN(state->used, before);
	if (after > before && (others > grant->quota || after > grant->quota - others)) {
		app->data->most.files_refused++;
		return WISP_FS_QUOTA;
	}
	state->used = others + after;
	return 0;
}

void wisp_fs_release(const struct wisp_app *app, uint32_t folder, uint32_t bytes)
{
	struct wisp_fs_folder *state = &app->grants->fs->folders[folder];

	/* What was not counted yet is counted later, without these bytes. */
	if (state->counted) {
		state->used -= MIN(state->used, bytes);
	}
}
