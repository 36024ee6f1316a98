/* SPDX-License-Identifier: Apache-2.0 */

/*
 * What apps have open in folders under grant, over Zephyr's file systems. Rust has resolved
 * all paths: they lie in their folder and hold no "..".
 *
 * A file that is open for writing is open once, and what is open is neither removed nor
 * moved: not every file system stands that. Apps share folders if their nodes say so, so
 * this holds for all of them.
 */

#include <errno.h>
#include <string.h>

#include <zephyr/fs/fs.h>
#include <zephyr/kernel.h>
#include <zephyr/logging/log.h>
#include <zephyr/sys/iterable_sections.h>
#include <zephyr/sys/util.h>

#include <wisp/wisp.h>

#include "app/deadline.h"
#include "app/grants.h"
#include "border/shim.h"
#include "drivers/fs.h"

LOG_MODULE_DECLARE(wisp, CONFIG_WISP_LOG_LEVEL);

/* Guards what apps have open, and what file systems fill in. */
static K_MUTEX_DEFINE(lock);
/* The app whose thread has the lock, or NULL. */
static const struct wisp_app *holder;
/*
 * A thread faulted in a file system. Nobody can give its lock back, nor those of the file system,
 * so every further use of files fails.
 */
static bool broken;
/* Pause between two checks whether the wait for the lock is in vain. */
#define LOOK K_MSEC(100)

struct fs_dirent wisp_fs_entry;

struct wisp_fs *wisp_fs_of(const struct wisp_app *app)
{
	return (app->grants == NULL) ? NULL : app->grants->fs;
}

static const struct wisp_folder_grant *grant_of(const struct wisp_app *app, uint32_t folder)
{
	return &app->grants->folders[folder];
}

uint32_t wisp_shim_fs_folders(const struct wisp_app *app)
{
	struct wisp_fs *fs = wisp_fs_of(app);

	return (fs == NULL) ? 0 : fs->folder_count;
}

const char *wisp_shim_fs_folder_name(const struct wisp_app *app, uint32_t folder)
{
	return (folder < wisp_shim_fs_folders(app)) ? grant_of(app, folder)->name : "";
}

uint64_t *wisp_shim_fs_descriptors(const struct wisp_app *app, size_t *count)
{
	struct wisp_fs *fs = wisp_fs_of(app);

	*count = 0;
	if (fs == NULL) {
		return NULL;
	}
	/* Three streams come before the folders. */
	*count = 3 + fs->folder_count + fs->object_count;
	return fs->descriptors;
}

/* Returns what is open under this number, or NULL if nothing is. */
struct wisp_fs_object *wisp_fs_object_at(const struct wisp_app *app, uint32_t object)
{
	struct wisp_fs *fs = wisp_fs_of(app);
	uint32_t index;

	if (fs == NULL || object < fs->folder_count) {
		return NULL;
	}
	index = object - fs->folder_count;
	if (index >= fs->object_count || fs->objects[index].kind == WISP_FS_CLOSED) {
		return NULL;
	}
	return &fs->objects[index];
}

uint32_t wisp_shim_fs_directory(const struct wisp_app *app, uint32_t object,
				struct wisp_fs_place *place)
{
	struct wisp_fs_object *found;

	if (object < wisp_shim_fs_folders(app)) {
		place->path = grant_of(app, object)->path;
		place->folder = object;
	} else {
		found = wisp_fs_object_at(app, object);
		if (found == NULL) {
			return WISP_FS_BAD_HANDLE;
		}
		if (found->kind != WISP_FS_DIRECTORY) {
			return WISP_FS_NOT_DIRECTORY;
		}
		place->path = found->path;
		place->folder = found->folder;
	}
	place->folder_length = strlen(grant_of(app, place->folder)->path);
	return 0;
}

/* Returns true if an app has it open, or something in it. With `writing_only`, for writing. */
bool wisp_fs_is_open(const char *path, bool writing_only)
{
	STRUCT_SECTION_FOREACH(wisp_app, app) {
		struct wisp_fs *fs = wisp_fs_of(app);

		for (uint32_t i = 0; fs != NULL && i < fs->object_count; i++) {
			const struct wisp_fs_object *object = &fs->objects[i];

			if (object->kind != WISP_FS_CLOSED && wisp_fs_is_in(object->path, path) &&
			    (object->write || !writing_only)) {
				return true;
			}
		}
	}
	return false;
}

/* Returns true if the app's thread has the lock or is in a file system. */
static bool is_inside(const struct wisp_app *app)
{
	const struct wisp_fs *fs = wisp_fs_of(app);

	return fs != NULL && (holder == app || fs->calling);
}

/*
 * Returns true if files cannot be used. Looks for the fault itself: it may be that nobody has asked
 * for the state of the app that faulted.
 */
static bool is_broken(void)
{
	STRUCT_SECTION_FOREACH(wisp_app, app) {
		/* The second check is for a thread that left and ended between the first two. */
		if (!broken && is_inside(app) &&
		    k_thread_join(&app->data->thread, K_NO_WAIT) == 0 && is_inside(app)) {
			broken = true;
		}
	}
	return broken;
}

/* Waits for the lock, and with `to_end` even if the app is to stop. */
static uint32_t wait_for_lock(const struct wisp_app *app, bool to_end)
{
	while (k_mutex_lock(&lock, LOOK) != 0) {
		if (is_broken()) {
			return WISP_FS_IO;
		}
		if (!to_end && wisp_shim_app_stop_reason(app) != 0) {
			return WISP_FS_AGAIN;
		}
	}
	return 0;
}

/* Takes the lock. Another app's work is no computing of this one. */
static uint32_t take_lock(const struct wisp_app *app, bool to_end)
{
	uint32_t error;

	/* If it is broken, the lock may seem to be that of this thread. */
	if (is_broken()) {
		return WISP_FS_IO;
	}
	if (k_mutex_lock(&lock, K_NO_WAIT) == 0) {
		error = 0;
	} else if (to_end) {
		/* The run is over, and with it the deadline. */
		error = wait_for_lock(app, true);
	} else {
		wisp_deadline_pause(app);
		error = wait_for_lock(app, false);
		wisp_deadline_resume(app);
	}
	if (error == 0) {
		holder = app;
	}
	return error;
}

static void give_lock(void)
{
	holder = NULL;
	(void)k_mutex_unlock(&lock);
}

uint32_t wisp_fs_call(const struct wisp_app *app)
{
	if (is_broken()) {
		return WISP_FS_IO;
	}
	app->grants->fs->calling = true;
	return 0;
}

void wisp_fs_return(const struct wisp_app *app)
{
	app->grants->fs->calling = false;
}

void wisp_fs_fault(const struct wisp_app *app)
{
	if (is_inside(app)) {
		broken = true;
		LOG_ERR("%s: its thread faulted in a file system: no app can use files before the "
			"next boot",
			wisp_app_name(app));
	}
}

/* Takes the lock and makes the folder ready. Without success the lock is free again. */
uint32_t wisp_fs_enter(const struct wisp_app *app, uint32_t folder, bool change)
{
	uint32_t error;

	if (change && grant_of(app, folder)->read_only) {
		return WISP_FS_READ_ONLY;
	}
	error = take_lock(app, false);
	if (error != 0) {
		return error;
	}
	error = wisp_fs_prepare(app, folder);
	if (error != 0) {
		give_lock();
	}
	return error;
}

uint32_t wisp_fs_leave(uint32_t error)
{
	give_lock();
	return error;
}

/* What has this path: the folder itself is a directory, which not every file system says. */
int wisp_fs_stat(const struct wisp_app *app, uint32_t folder, const char *path,
		 struct wisp_fs_facts *facts)
{
	int ret;

	facts->size = 0;
	facts->kind = WISP_FS_DIRECTORY;
	if (strcmp(path, grant_of(app, folder)->path) == 0) {
		return 0;
	}
	ret = fs_stat(path, &wisp_fs_entry);
	if (ret == 0 && wisp_fs_entry.type == FS_DIR_ENTRY_FILE) {
		facts->kind = WISP_FS_FILE;
		facts->size = wisp_fs_entry.size;
	}
	return ret;
}

/* Whether a file may be opened like this. */
static uint32_t check_file(const struct wisp_app *app, const struct wisp_fs_object *object,
			   uint32_t how, bool exists)
{
	if (object->write && grant_of(app, object->folder)->read_only) {
		return WISP_FS_READ_ONLY;
	}
	if (!exists) {
		return ((how & WISP_FS_ONLY_DIRECTORY) != 0) ? WISP_FS_IS_DIRECTORY : 0;
	}
	if ((how & WISP_FS_ONLY_DIRECTORY) != 0) {
		return WISP_FS_NOT_DIRECTORY;
	}
	return wisp_fs_is_open(object->path, !object->write) ? WISP_FS_BUSY : 0;
}

/* Opens a file, whose quota was charged if it is new. */
static int open_file(const struct wisp_app *app, struct wisp_fs_object *object, uint32_t how,
		     bool exists)
{
	fs_mode_t mode = exists ? 0 : FS_O_CREATE;
	int ret;

	mode |= object->write ? FS_O_WRITE : 0;
	mode |= ((how & WISP_FS_READ) != 0 || !object->write) ? FS_O_READ : 0;
	fs_file_t_init(&object->file);
	ret = fs_open(&object->file, object->path, mode);
	if (ret == 0 && (how & WISP_FS_TRUNCATE) != 0 && object->size > 0) {
		ret = fs_truncate(&object->file, 0);
		if (ret != 0) {
			(void)fs_close(&object->file);
			return ret;
		}
		(void)wisp_fs_charge(app, object->folder,
				     wisp_fs_cost(app, object->folder, WISP_FS_FILE, object->size),
				     wisp_fs_cost(app, object->folder, WISP_FS_FILE, 0));
		object->size = 0;
	}
	return ret;
}

/* Opens what has the object's path, and reports its kind. */
static uint32_t open_object(const struct wisp_app *app, struct wisp_fs_object *object, uint32_t how,
			    uint32_t *kind)
{
	struct wisp_fs_facts facts;
	int ret = wisp_fs_stat(app, object->folder, object->path, &facts);
	bool exists = ret == 0;
	uint32_t cost;
	uint32_t error;

	if (ret == -ENOENT && (how & WISP_FS_CREATE) != 0) {
		facts.kind = WISP_FS_FILE;
		/* Making one is a change, whatever it is opened for. */
		object->write = true;
	} else if (!exists) {
		return wisp_fs_error(ret);
	} else if ((how & WISP_FS_CREATE) != 0 && (how & WISP_FS_EXCLUSIVE) != 0) {
		return WISP_FS_EXISTS;
	}
	*kind = facts.kind;
	if (facts.kind == WISP_FS_DIRECTORY) {
		if ((how & (WISP_FS_CREATE | WISP_FS_TRUNCATE)) != 0) {
			return WISP_FS_IS_DIRECTORY;
		}
		object->write = false;
		return 0;
	}
	object->size = (uint32_t)facts.size;
	error = check_file(app, object, how, exists);
	cost = wisp_fs_cost(app, object->folder, WISP_FS_FILE, 0);
	if (error == 0 && object->write) {
		/* What the folder holds is counted before that changes. */
		error = wisp_fs_charge(app, object->folder, 0, exists ? 0 : cost);
	}
	if (error != 0) {
		return error;
	}
	ret = open_file(app, object, how, exists);
	if (ret != 0 && !exists) {
		(void)wisp_fs_charge(app, object->folder, cost, 0);
	}
	return wisp_fs_error(ret);
}

uint32_t wisp_shim_fs_open(const struct wisp_app *app, uint32_t folder, const char *path,
			   uint32_t how, uint32_t *object, uint32_t *kind)
{
	struct wisp_fs *fs = app->grants->fs;
	uint32_t error = wisp_fs_enter(app, folder, false);

	if (error != 0) {
		return error;
	}
	for (uint32_t i = 0; i < fs->object_count; i++) {
		struct wisp_fs_object *free = &fs->objects[i];

		if (free->kind != WISP_FS_CLOSED) {
			continue;
		}
		free->folder = (uint8_t)folder;
		free->write = (how & (WISP_FS_WRITE | WISP_FS_TRUNCATE)) != 0;
		strcpy(free->path, path);
		error = open_object(app, free, how, kind);
		if (error == 0) {
			free->kind = (uint8_t)*kind;
			*object = fs->folder_count + i;
		}
		return wisp_fs_leave(error);
	}
	return wisp_fs_leave(WISP_FS_TOO_MANY_OPEN);
}

void wisp_fs_close_listing(struct wisp_fs *fs)
{
	if (fs->listing.open) {
		(void)fs_closedir(&fs->listing.dir);
		fs->listing.open = false;
	}
}

static int close_object(struct wisp_fs *fs, uint32_t index)
{
	struct wisp_fs_object *object = &fs->objects[index];
	int ret = 0;

	if (fs->listing.object == fs->folder_count + index) {
		wisp_fs_close_listing(fs);
	}
	if (object->kind == WISP_FS_FILE) {
		ret = fs_close(&object->file);
	}
	object->kind = WISP_FS_CLOSED;
	return ret;
}

uint32_t wisp_shim_fs_close(const struct wisp_app *app, uint32_t object)
{
	struct wisp_fs *fs = wisp_fs_of(app);
	uint32_t error;

	if (wisp_fs_object_at(app, object) == NULL) {
		return WISP_FS_BAD_HANDLE;
	}
	error = take_lock(app, false);
	if (error != 0) {
		return error;
	}
	return wisp_fs_leave(wisp_fs_error(close_object(fs, object - fs->folder_count)));
}

static bool has_open(const struct wisp_fs *fs)
{
	for (uint32_t i = 0; i < fs->object_count; i++) {
		if (fs->objects[i].kind != WISP_FS_CLOSED) {
			return true;
		}
	}
	return fs->listing.open;
}

void wisp_fs_end(const struct wisp_app *app)
{
	struct wisp_fs *fs = wisp_fs_of(app);

	if (fs == NULL) {
		return;
	}
	/* What has nothing open does not wait for the file system, which another app may use. */
	if (has_open(fs) && take_lock(app, true) == 0) {
		wisp_fs_close_listing(fs);
		for (uint32_t i = 0; i < fs->object_count; i++) {
			(void)close_object(fs, i);
		}
		give_lock();
	}
	for (uint32_t i = 0; i < fs->folder_count; i++) {
		fs->folders[i].exists = false;
		fs->folders[i].counted = false;
		fs->folders[i].warned = false;
	}
}

uint32_t wisp_shim_fs_object(const struct wisp_app *app, uint32_t object,
			     struct wisp_fs_facts *facts)
{
	struct wisp_fs_object *found = wisp_fs_object_at(app, object);

	facts->size = 0;
	facts->kind = WISP_FS_DIRECTORY;
	if (object < wisp_shim_fs_folders(app)) {
		return 0;
	}
	if (found == NULL) {
		return WISP_FS_BAD_HANDLE;
	}
	facts->kind = found->kind;
	facts->size = (found->kind == WISP_FS_FILE) ? found->size : 0;
	return 0;
}
