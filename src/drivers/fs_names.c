/* SPDX-License-Identifier: Apache-2.0 */

/* What has a name in a folder under grant: looking at it, listing, making, removing, moving. */

#include <errno.h>
#include <string.h>

#include <zephyr/fs/fs.h>

#include <wisp/wisp.h>

#include "app/grants.h"
#include "border/shim.h"
#include "drivers/fs.h"

uint32_t wisp_shim_fs_stat(const struct wisp_app *app, uint32_t folder, const char *path,
			   struct wisp_fs_facts *facts)
{
	uint32_t error = wisp_fs_enter(app, folder, false);

	return (error != 0) ? error
			    : wisp_fs_leave(wisp_fs_error(wisp_fs_stat(app, folder, path, facts)));
}

/* Opens the directory for reading, at an wisp_fs_entry. */
static int open_listing(const struct wisp_app *app, struct wisp_fs *fs, uint32_t object,
			const char *path, uint64_t index)
{
	struct wisp_fs_listing *listing = &fs->listing;
	int ret;

	if (listing->open && listing->object == object && listing->next == index) {
		return 0;
	}
	wisp_fs_close_listing(fs);
	fs_dir_t_init(&listing->dir);
	ret = fs_opendir(&listing->dir, path);
	if (ret != 0) {
		return ret;
	}
	listing->open = true;
	listing->object = object;
	for (listing->next = 0; listing->next < index; listing->next++) {
		ret = fs_readdir(&listing->dir, &wisp_fs_entry);
		if (ret != 0 || wisp_fs_entry.name[0] == '\0') {
			return ret;
		}
		if (wisp_shim_app_stop_reason(app) != 0) {
			return -EAGAIN;
		}
	}
	return 0;
}

/* Reads an entry. What was removed meanwhile hides no other entry from an app that goes on where
 * its buffer was full.
 */
static int next_entry(const struct wisp_app *app, struct wisp_fs *fs, uint32_t object,
		      const char *path, uint64_t index)
{
	struct wisp_fs_listing *listing = &fs->listing;
	int ret;

	if (listing->open && listing->object == object && index + 1 == listing->next) {
		wisp_fs_entry = listing->last;
		return 0;
	}
	ret = open_listing(app, fs, object, path, index);
	return (ret == 0) ? fs_readdir(&listing->dir, &wisp_fs_entry) : ret;
}

uint32_t wisp_shim_fs_entry(const struct wisp_app *app, uint32_t object, uint64_t index,
			    uint8_t *name, size_t size, size_t *length, uint32_t *kind)
{
	struct wisp_fs *fs = wisp_fs_of(app);
	struct wisp_fs_place place;
	uint32_t error = wisp_shim_fs_directory(app, object, &place);
	int ret;

	*length = 0;
	if (error == 0) {
		error = wisp_fs_enter(app, place.folder, false);
	}
	if (error != 0) {
		return error;
	}
	ret = next_entry(app, fs, object, place.path, index);
	if (ret != 0 || wisp_fs_entry.name[0] == '\0') {
		wisp_fs_close_listing(fs);
		return wisp_fs_leave(wisp_fs_error(ret));
	}
	fs->listing.last = wisp_fs_entry;
	fs->listing.next = index + 1;
	*length = strlen(wisp_fs_entry.name);
	*kind = (wisp_fs_entry.type == FS_DIR_ENTRY_DIR) ? WISP_FS_DIRECTORY : WISP_FS_FILE;
	memcpy(name, wisp_fs_entry.name, MIN(*length, size));
	return wisp_fs_leave(0);
}

uint32_t wisp_shim_fs_make_directory(const struct wisp_app *app, uint32_t folder, const char *path)
{
	uint32_t error = wisp_fs_enter(app, folder, true);
	struct wisp_fs_facts facts;
	uint32_t cost;
	int ret;

	if (error != 0) {
		return error;
	}
	ret = wisp_fs_stat(app, folder, path, &facts);
	if (ret != -ENOENT) {
		return wisp_fs_leave((ret == 0) ? WISP_FS_EXISTS : wisp_fs_error(ret));
	}
	cost = wisp_fs_cost(app, folder, WISP_FS_DIRECTORY, 0);
	error = wisp_fs_charge(app, folder, 0, cost);
	if (error != 0) {
		return wisp_fs_leave(error);
	}
	ret = fs_mkdir(path);
	if (ret != 0) {
		(void)wisp_fs_charge(app, folder, cost, 0);
	}
	return wisp_fs_leave(wisp_fs_error(ret));
}

uint32_t wisp_shim_fs_remove(const struct wisp_app *app, uint32_t folder, const char *path,
			     uint32_t kind)
{
	uint32_t error = wisp_fs_enter(app, folder, true);
	struct wisp_fs_facts facts;
	int ret;

	if (error != 0) {
		return error;
	}
	ret = wisp_fs_stat(app, folder, path, &facts);
	if (ret != 0) {
		return wisp_fs_leave(wisp_fs_error(ret));
	}
	if (facts.kind != kind) {
		return wisp_fs_leave((kind == WISP_FS_FILE) ? WISP_FS_IS_DIRECTORY
							    : WISP_FS_NOT_DIRECTORY);
	}
	if (wisp_fs_is_open(path, false)) {
		return wisp_fs_leave(WISP_FS_BUSY);
	}
	ret = fs_unlink(path);
	if (ret == 0) {
		wisp_fs_release(app, folder, wisp_fs_cost(app, folder, kind, (uint32_t)facts.size));
	}
	return wisp_fs_leave(wisp_fs_error(ret));
}

/* Whether one thing may take the place of the other, which exists. */
static uint32_t check_replaced(uint32_t kind, uint32_t replaced)
{
	if (kind == replaced) {
		return 0;
	}
	return (replaced == WISP_FS_DIRECTORY) ? WISP_FS_IS_DIRECTORY : WISP_FS_NOT_DIRECTORY;
}

/* Moves it, with the lock held. */
static uint32_t move(const struct wisp_app *app, uint32_t folder, const char *path, const char *to)
{
	struct wisp_fs_facts facts;
	struct wisp_fs_facts replaced;
	uint32_t freed = 0;
	uint32_t error;
	int ret = wisp_fs_stat(app, folder, path, &facts);

	if (ret != 0 || strcmp(path, to) == 0) {
		return wisp_fs_error(ret);
	}
	/* LittleFS would make a ring of a directory that is moved into itself. */
	if (wisp_fs_is_in(to, path)) {
		return WISP_FS_INVALID;
	}
	if (wisp_fs_is_open(path, false) || wisp_fs_is_open(to, false)) {
		return WISP_FS_BUSY;
	}
	ret = wisp_fs_stat(app, folder, to, &replaced);
	if (ret == 0) {
		error = check_replaced(facts.kind, replaced.kind);
		if (error != 0) {
			return error;
		}
		freed = wisp_fs_cost(app, folder, replaced.kind, (uint32_t)replaced.size);
	} else if (ret != -ENOENT) {
		return wisp_fs_error(ret);
	}
	ret = fs_rename(path, to);
	if (ret == 0) {
		wisp_fs_release(app, folder, freed);
	}
	return wisp_fs_error(ret);
}

uint32_t wisp_shim_fs_rename(const struct wisp_app *app, uint32_t folder, const char *path,
			     const char *to)
{
	uint32_t error = wisp_fs_enter(app, folder, true);

	return (error != 0) ? error : wisp_fs_leave(move(app, folder, path, to));
}
