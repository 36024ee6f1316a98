/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Uploads, and who owns the present one: the firmware with its shell, or a client of SMP. All ways
 * to an upload lead through this file, so none of them touches the upload of another owner. The
 * checks run in the thread of the app storage, as one piece with the change that they allow.
 * rust/fuzz/tests/uploads.rs compiles this file.
 */

#include <string.h>

#include <zephyr/kernel.h>
#include <zephyr/logging/log.h>

#include "app/shown.h"
#include "storage/storage.h"

LOG_MODULE_DECLARE(wisp, CONFIG_WISP_LOG_LEVEL);

/* The upload that is going on. Its owner means nothing without one. */
static struct {
	uint32_t owner;
	/* Uptime in milliseconds of the announcement and of the last accepted piece. */
	int64_t began;
	int64_t last;
} present;

static int check(const struct wisp_store_upload *upload)
{
	const struct wisp_app *app = wisp_app_find(upload->name);
	int ret;

	if (app == NULL) {
		return WISP_STORE_NO_APP;
	}
#ifdef CONFIG_WISP_STORAGE_IN_RAM
	if (upload->image.length > CONFIG_WISP_STORAGE_RAM_SIZE) {
		return WISP_STORE_NO_RAM;
	}
#endif
	if (upload->memory > app->memory_size || upload->frame > app->frame_size) {
		return WISP_STORE_TOO_LARGE;
	}
	ret = wisp_rust_store_needs(app, (const uint8_t *)upload->interfaces,
				    upload->interfaces_length);
	return ret == 0 ? wisp_rust_store_targets(app, upload->targets, upload->targets_length)
			: ret;
}

static bool is_same(const struct wisp_store_upload *a, const struct wisp_store_upload *b)
{
	return strcmp(a->name, b->name) == 0 && a->image.length == b->image.length &&
	       memcmp(a->image.hash, b->image.hash, sizeof(a->image.hash)) == 0;
}

#ifdef CONFIG_WISP_MGMT

/* Returns true if the upload may be replaced because its owner is silent or takes too long. */
static bool is_over(void)
{
	int64_t now = k_uptime_get();

	return now - present.last > (int64_t)CONFIG_WISP_MGMT_IDLE_SECONDS * MSEC_PER_SEC ||
	       now - present.began > (int64_t)CONFIG_WISP_MGMT_UPLOAD_SECONDS * MSEC_PER_SEC;
}

#elif defined(CONFIG_WISP_DDI) || defined(CONFIG_WISP_LWM2M)

/* Returns true if no client goes on with the upload, because only the firmware uploads here. */
static bool is_over(void)
{
	return present.owner == WISP_UPLOAD_NOBODY;
}

#else

static bool is_over(void)
{
	return false;
}

#endif /* CONFIG_WISP_MGMT */

/* Returns a number that no upload since boot had. */
static uint32_t next_owner(void)
{
	static uint32_t last = WISP_UPLOAD_FIRMWARE;

	last = MAX(last + 1, WISP_UPLOAD_FIRMWARE + 1);
	return last;
}

struct announcement {
	struct wisp_store_upload *upload;
	uint32_t owner;
};

/* Returns true if the upload that is going on stands in the way of an announcement. */
static bool is_in_the_way(const struct announcement *announcement, bool again)
{
	if (again &&
	    (present.owner == WISP_UPLOAD_NOBODY || present.owner == announcement->owner)) {
		return false;
	}
	/* The firmware calls wisp_store_abort() if it does not want to wait. */
	return announcement->owner == WISP_UPLOAD_FIRMWARE || !is_over();
}

static int announce(struct announcement *announcement)
{
	struct wisp_store_upload *upload = announcement->upload;
	struct wisp_store_upload current;
	bool going_on = wisp_rust_store_progress(&current) == 0;
	bool again = going_on && is_same(&current, upload);
	int ret;

	if (going_on && is_in_the_way(announcement, again)) {
		return WISP_STORE_BUSY;
	}
	/* An announcement that is refused replaces nothing. */
	ret = check(upload);
	if (ret == 0) {
		ret = wisp_rust_store_begin(upload, going_on && !again, &upload->offset);
	}
	if (ret != 0 || (again && announcement->owner != WISP_UPLOAD_NOBODY &&
			 present.owner == announcement->owner)) {
		return ret;
	}
	if (announcement->owner != WISP_UPLOAD_FIRMWARE) {
		announcement->owner = next_owner();
	}
	present.owner = announcement->owner;
	present.began = k_uptime_get();
	present.last = present.began;
	return 0;
}

/* Logs why an announcement is refused. Its name is whatever a client sent. */
static void explain(const struct wisp_store_upload *upload, int error)
{
	char name[sizeof(upload->name)];

	for (size_t i = 0; i < sizeof(name); i++) {
		name[i] = upload->name[i] == '\0' ? '\0' : wisp_shown(upload->name[i]);
	}
	wisp_storage_explain(name, "upload refused", error);
}

static int do_begin(void *argument)
{
	struct announcement *announcement = argument;
	int ret = announce(announcement);

	if (ret != 0 && ret != WISP_STORE_BUSY) {
		explain(announcement->upload, ret);
	}
	return ret;
}

int wisp_storage_begin(struct wisp_store_upload *upload, uint32_t *owner)
{
	struct announcement announcement = {.upload = upload, .owner = *owner};
	int ret;

	upload->name[sizeof(upload->name) - 1] = '\0';
	ret = wisp_storage_run(do_begin, &announcement);
	if (ret == 0) {
		*owner = announcement.owner;
	}
	return ret;
}

int wisp_store_begin(struct wisp_store_upload *upload)
{
	uint32_t owner = WISP_UPLOAD_FIRMWARE;

	return wisp_storage_begin(upload, &owner);
}

/* Returns 0 if there is an upload and it is the caller's. Fills in the upload. */
static int own(uint32_t owner, struct wisp_store_upload *upload)
{
	int ret = wisp_rust_store_progress(upload);

	if (ret != 0) {
		return ret;
	}
	return (owner != WISP_UPLOAD_NOBODY && present.owner == owner) ? 0 : WISP_STORE_NOT_OWNER;
}

struct piece {
	uint32_t owner;
	uint32_t offset;
	const uint8_t *data;
	size_t length;
};

static int do_write(void *argument)
{
	const struct piece *piece = argument;
	struct wisp_store_upload upload;
	int ret = own(piece->owner, &upload);

	if (ret == 0) {
		ret = wisp_rust_store_write(piece->offset, piece->data, piece->length);
	}
	if (ret == 0) {
		/* Only accepted pieces keep an upload alive. */
		present.last = k_uptime_get();
	}
	return ret;
}

int wisp_storage_write(uint32_t owner, uint32_t offset, const void *data, size_t length)
{
	struct piece piece = {.owner = owner, .offset = offset, .data = data, .length = length};

	return wisp_storage_run(do_write, &piece);
}

int wisp_store_write(uint32_t offset, const void *data, size_t length)
{
	return wisp_storage_write(WISP_UPLOAD_FIRMWARE, offset, data, length);
}

static int do_progress(void *argument)
{
	return wisp_rust_store_progress(argument);
}

int wisp_store_progress(struct wisp_store_upload *upload)
{
	return wisp_storage_run(do_progress, upload);
}

static int do_abort(void *argument)
{
	const uint32_t *owner = argument;
	struct wisp_store_upload upload;
	int ret = own(*owner, &upload);

	if (ret == WISP_STORE_NOT_OWNER && (*owner == WISP_UPLOAD_FIRMWARE || is_over())) {
		ret = 0;
	}
	return ret == 0 ? wisp_rust_store_abort() : ret;
}

int wisp_storage_abort(uint32_t owner)
{
	return wisp_storage_run(do_abort, &owner);
}

int wisp_store_abort(void)
{
	return wisp_storage_abort(WISP_UPLOAD_FIRMWARE);
}

/* Logs why a complete upload is refused, and deletes it unless another try may succeed. */
static int refuse(const struct wisp_store_upload *upload, int error)
{
	wisp_storage_explain(upload->name, "upload refused", error);
	if (error != WISP_STORE_INCOMPLETE && error != WISP_STORE_FLASH) {
		(void)wisp_rust_store_abort();
	}
	return error;
}

static int accept_upload(const struct wisp_store_upload *upload)
{
	const struct wisp_app *app = wisp_app_find(upload->name);
	struct wisp_store_trust trust;
	struct wisp_store_app stored;
	uint32_t slot;
	int ret;

	if (app == NULL) {
		return WISP_STORE_NO_APP;
	}
	trust = wisp_storage_trust(app);
	ret = wisp_rust_store_accept(&trust, &slot);
	if (ret != 0) {
		return refuse(upload, ret);
	}
	LOG_INF("%s: version %u.%u.%u installed, on trial until it is confirmed", upload->name,
		upload->image.version & 0xff, (upload->image.version >> 8) & 0xff,
		upload->image.version >> 16);
	wisp_supervisor_trial_over(slot);
	if (wisp_rust_store_get(slot, &stored) == 0 && !stored.manual) {
		wisp_supervisor_restart(slot);
	}
	return 0;
}

static int do_finish(void *argument)
{
	const uint32_t *owner = argument;
	struct wisp_store_upload upload;
	int ret = own(*owner, &upload);

	return ret == 0 ? accept_upload(&upload) : ret;
}

int wisp_storage_finish(uint32_t owner)
{
	return wisp_storage_run(do_finish, &owner);
}

int wisp_store_finish(void)
{
	return wisp_storage_finish(WISP_UPLOAD_FIRMWARE);
}

static int do_identify(void *argument)
{
	const uint32_t *owner = argument;
	struct wisp_store_upload upload;
	struct wisp_store_trust trust;
	int ret = own(*owner, &upload);

	if (ret != 0) {
		return ret;
	}
	if (wisp_app_find(upload.name) == NULL) {
		return WISP_STORE_NO_APP;
	}
	trust = wisp_storage_trust(wisp_app_find(upload.name));
	ret = wisp_rust_store_identify(&trust);
	return ret == 0 ? 0 : refuse(&upload, ret);
}

int wisp_storage_identify(uint32_t owner)
{
	return wisp_storage_run(do_identify, &owner);
}

void wisp_storage_give_up(const struct wisp_store_upload *upload, uint32_t *owner)
{
	struct wisp_store_upload again = *upload;

	/* After a reset it has no owner. It cannot be taken over from another owner. */
	again.interfaces = NULL;
	again.targets = NULL;
	(void)wisp_storage_begin(&again, owner);
	(void)wisp_storage_abort(*owner);
}
