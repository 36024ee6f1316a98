/* SPDX-License-Identifier: Apache-2.0 */

/*
 * One app of an action: the download of its image to the app storage, its trial, and how to undo
 * both.
 */

#include <string.h>

#include <zephyr/kernel.h>
#include <zephyr/logging/log.h>
#include <zephyr/sys/printk.h>

#include <wisp/wisp.h>

#include "ddi/ddi.h"
#include "storage/describe.h"
#include "storage/storage.h"

LOG_MODULE_DECLARE(wisp_ddi, CONFIG_WISP_LOG_LEVEL);

/* Number of downloads of an image before damage on the way counts as a failure. */
#define UPLOADS   3
/* Number of requests for bytes that the server does not send. */
#define ASKS      6
/* Shortest time between two checks of an update on trial, in milliseconds. */
#define LOOK_MS   1000
/* First bytes of an image, which are read before it is announced: header, table, manifest. */
#define HEAD_SIZE 512

/* What was done for the present part since boot. */
static struct {
	uint32_t uploads;
	uint32_t asks;
	/* Uptime at which the trial was first noticed, or 0. */
	int64_t begun;
	/* Uptime before the image was installed. */
	int64_t installed;
	/* Bytes of an image were received. */
	bool went_on;
	/* Number with which the app storage knows the client. */
	uint32_t owner;
} client;

/* Forgets what was tried for a part. */
void wisp_ddi_begin_tries(void)
{
	client.uploads = 0;
	client.asks = 0;
	client.begun = 0;
	client.installed = 0;
}

bool wisp_ddi_went_on(void)
{
	bool went_on = client.went_on;

	client.went_on = false;
	return went_on;
}

/*
 * The app storage.
 */

/* Returns whether an image has this hash. */
bool wisp_ddi_is_image(const struct wisp_store_image *image, const uint8_t *hash)
{
	return image->length != 0 && memcmp(image->hash, hash, sizeof(image->hash)) == 0;
}

/* Returns whether the app storage has an upload of an image. */
static bool has_upload(const uint8_t *hash, struct wisp_store_upload *upload)
{
	return wisp_store_progress(upload) == 0 && wisp_ddi_is_image(&upload->image, hash);
}

/* Gives up the upload of the present part, if there is one. */
void wisp_ddi_give_up(void)
{
	struct wisp_store_upload upload;

	if (has_upload(wisp_ddi_record.hash, &upload)) {
		wisp_storage_give_up(&upload, &client.owner);
	}
}

/* Returns whether an error of the app storage is temporary: another client uses it. */
static bool passes(int error)
{
	return error == WISP_STORE_BUSY || error == WISP_STORE_PENDING ||
	       error == WISP_STORE_NOT_STOPPED || error == WISP_STORE_NOT_OWNER;
}

/* Returns whether an error says that an image was damaged or lost on its way. */
static bool is_loss(int error)
{
	return error == WISP_STORE_NO_UPLOAD || error == WISP_STORE_OFFSET ||
	       error == WISP_STORE_LENGTH || error == WISP_STORE_INCOMPLETE ||
	       error == WISP_STORE_HASH;
}

/* Returns the trouble that an error of the app storage is. */
static int store_trouble(int error)
{
	size_t length;
	const char *text = wisp_store_words(error, &length);
	bool again = passes(error) || ((is_loss(error) || error == WISP_STORE_INSTALLED) &&
				       client.uploads < UPLOADS);

	return wisp_ddi_say(again ? WISP_DDI_PASSING : WISP_DDI_LASTING, "%.*s", (int)length, text);
}

/* Looks for an image. Fills in its app, unless it is absent. Returns 0 or a trouble. */
int wisp_ddi_look_for(const uint8_t *hash, enum wisp_ddi_look *look, struct wisp_store_app *app)
{
	*look = WISP_DDI_LOOK_ABSENT;
	for (uint32_t slot = 0; slot < WISP_STORE_SLOTS; slot++) {
		int ret = wisp_store_get(slot, app);
		bool candidate;
		bool running;

		if (ret == WISP_STORE_NOT_FOUND) {
			continue;
		}
		if (ret != 0) {
			return store_trouble(ret);
		}
		candidate = wisp_ddi_is_image(&app->candidate, hash);
		running = wisp_ddi_is_image(&app->running, hash);
		if (!candidate && !running) {
			continue;
		}
		if (running && !candidate && app->candidate.length != 0) {
			*look = WISP_DDI_LOOK_COVERED;
		} else if (app->disabled) {
			*look = WISP_DDI_LOOK_DISABLED;
		} else {
			*look = candidate ? WISP_DDI_LOOK_TRIAL : WISP_DDI_LOOK_KEPT;
		}
		return 0;
	}
	return 0;
}

/* Returns why the last run of an app failed since the installation, or an empty text. */
static void reason_of(const char *name, char *text, size_t size)
{
	struct wisp_failure failure;

	text[0] = '\0';
	for (uint32_t i = 0; wisp_failure_get(i, &failure) == 0; i++) {
		if (failure.uptime_ms >= client.installed &&
		    strcmp(wisp_app_name(failure.app), name) == 0) {
			wisp_describe_status(failure.app, &failure.status, ": ", text, size);
			return;
		}
	}
}

/* Records that the present part is at another step. */
static int go_on(enum wisp_ddi_step step)
{
	wisp_ddi_record.step = step;
	return wisp_ddi_record_write();
}

/* Records the app and the version of the present part's image. */
static void know(const char *app, uint32_t version)
{
	if (app != wisp_ddi_record.app) {
		snprintk(wisp_ddi_record.app, sizeof(wisp_ddi_record.app), "%s", app);
		/* That of an image that nothing has checked yet. */
		wisp_ddi_clean(wisp_ddi_record.app);
	}
	wisp_ddi_record.version = version;
}

/* Records that the present part is kept. */
static int keep(void)
{
	LOG_INF("action %s: %s: kept", wisp_ddi_record.id,
		wisp_ddi_action.parts[wisp_ddi_record.part].module);
	wisp_ddi_record.part++;
	wisp_ddi_record.app[0] = '\0';
	wisp_ddi_begin_tries();
	if (wisp_ddi_record.part >= wisp_ddi_action.count) {
		wisp_ddi_record.verdict = WISP_DDI_SUCCESS;
	}
	return go_on(WISP_DDI_WAITING);
}

/* Records that the action failed at the present part, for a reason. */
int wisp_ddi_fail(const char *what, const char *more)
{
	struct wisp_ddi_record *record = &wisp_ddi_record;
	char *text = record->reason;
	size_t size = sizeof(record->reason);

	if (record->app[0] != '\0') {
		snprintk(text, size, "%s " VERSION_FORMAT ": %s%s", record->app,
			 VERSION(record->version), what, more);
	} else if (record->part < wisp_ddi_action.count) {
		const char *module = wisp_ddi_action.parts[record->part].module;

		snprintk(text, size, "%s: %s%s", module, what, more);
	} else {
		snprintk(text, size, "%s%s", what, more);
	}
	LOG_ERR("action %s failed: %s", record->id, text);
	record->verdict = WISP_DDI_FAILURE;
	return wisp_ddi_record_write();
}

/* The same with the reason that the last run of the app had. */
static int fail_of_app(const char *what)
{
	char reason[WISP_DESCRIPTION_SIZE];

	reason_of(wisp_ddi_record.app, reason, sizeof(reason));
	return wisp_ddi_fail(what, reason);
}

/*
 * Download.
 */

static struct {
	const struct wisp_ddi_part *part;
	/* First bytes of an image that is not announced yet. */
	uint8_t head[HEAD_SIZE];
	uint32_t head_length;
	/* The app storage knows the image, and has as many bytes of it. */
	bool announced;
	uint32_t offset;
} download;

static int write(const uint8_t *bytes, size_t length)
{
	int ret = wisp_storage_write(client.owner, download.offset, bytes, length);

	if (ret != 0) {
		return store_trouble(ret);
	}
	download.offset += length;
	wisp_ddi_show(WISP_DDI_PHASE_DOWNLOADING, download.offset);
	return 0;
}

/* Announces the image to the app storage. */
static int announce(struct wisp_store_upload *upload)
{
	int ret = wisp_storage_begin(upload, &client.owner);

	if (ret != 0) {
		know(upload->name, upload->image.version);
		return store_trouble(ret);
	}
	download.announced = true;
	download.offset = upload->offset;
	if (wisp_ddi_record.step != WISP_DDI_WAITING) {
		return 0;
	}
	know(upload->name, upload->image.version);
	return go_on(WISP_DDI_SENDING);
}

/* Announces the image whose first bytes have come, and writes those that are missing. */
static int announce_head(void)
{
	struct wisp_store_upload upload = {.image.length = download.part->size};
	int ret;

	memcpy(upload.image.hash, download.part->hash, sizeof(upload.image.hash));
	ret = wisp_rust_store_head(download.head, download.head_length, &upload);
	if (ret != 0) {
		return store_trouble(ret);
	}
	ret = announce(&upload);
	if (ret == 0 && download.offset < download.head_length) {
		ret = write(download.head + download.offset,
			    download.head_length - download.offset);
	}
	return ret;
}

static int take(const uint8_t *bytes, size_t length)
{
	uint32_t wanted = MIN(download.part->size, HEAD_SIZE);
	uint32_t at = download.announced ? download.offset : download.head_length;
	int ret = 0;

	if (length > download.part->size - at) {
		client.uploads++;
		return wisp_ddi_say(client.uploads < UPLOADS ? WISP_DDI_PASSING : WISP_DDI_LASTING,
				    "the server sends more than the %u bytes that it announced",
				    (unsigned int)download.part->size);
	}
	if (!download.announced) {
		size_t part = MIN(length, wanted - download.head_length);

		memcpy(download.head + download.head_length, bytes, part);
		download.head_length += part;
		bytes += part;
		length -= part;
		if (download.head_length == wanted) {
			ret = announce_head();
		}
		/* An upload that somebody else began may be ahead. */
		if (ret == 0 && download.announced && download.offset > download.head_length) {
			return wisp_ddi_say(WISP_DDI_PASSING, "the upload goes on at byte %u",
					    (unsigned int)download.offset);
		}
	}
	return ret == 0 && length != 0 ? write(bytes, length) : ret;
}

/* Goes on with an upload of the image that broke off. Returns 0 also if there is none. */
static int resume(void)
{
	struct wisp_store_upload upload;

	if (!has_upload(download.part->hash, &upload) ||
	    upload.image.length != download.part->size) {
		return 0;
	}
	/* What the announcement said of these was checked, and is not kept. */
	upload.interfaces = NULL;
	upload.targets = NULL;
	return announce(&upload);
}

/* Downloads what is missing of the present part's image. */
static int fetch(void)
{
	const struct wisp_ddi_request request = {
		.method = HTTP_GET, .url = wisp_ddi_action.url, .take = take};
	struct wisp_ddi_request rest = request;
	uint32_t before;
	int ret;

	memset(&download, 0, sizeof(download));
	download.part = &wisp_ddi_action.parts[wisp_ddi_record.part];
	ret = resume();
	if (ret != 0) {
		return ret;
	}
	before = download.offset;
	wisp_ddi_show(WISP_DDI_PHASE_DOWNLOADING, before);
	if (download.offset < download.part->size) {
		if (download.offset != 0) {
			LOG_INF("action %s: the download goes on at byte %u", wisp_ddi_record.id,
				(unsigned int)download.offset);
		}
		rest.from = download.offset;
		ret = wisp_ddi_ask(&rest);
	}
	if (ret == 0 && download.offset < download.part->size) {
		ret = wisp_ddi_say(WISP_DDI_GONE, "the server has %u of %u bytes that it announced",
				   (unsigned int)MAX(download.offset, download.head_length),
				   (unsigned int)download.part->size);
	}
	if (download.offset > before) {
		/* The next request goes on. */
		client.asks = 0;
		client.went_on = true;
		return ret == WISP_DDI_GONE ? WISP_DDI_PASSING : ret;
	}
	if (ret == WISP_DDI_GONE) {
		client.asks++;
		ret = client.asks < ASKS ? WISP_DDI_PASSING : WISP_DDI_LASTING;
	}
	return ret;
}

/* Downloads the image and installs it. */
static int install(void)
{
	int ret = fetch();

	if (ret != 0) {
		return ret;
	}
	client.uploads++;
	ret = go_on(WISP_DDI_INSTALLING);
	if (ret != 0) {
		return ret;
	}
	client.installed = k_uptime_get();
	ret = wisp_storage_finish(client.owner);
	if (ret == 0) {
		/* From now on, an image that is gone was rolled back. */
		ret = go_on(WISP_DDI_TRIAL);
		if (ret == 0) {
			wisp_ddi_progress("on trial");
		}
		return ret;
	}
	if (passes(ret) || is_loss(ret) || ret == WISP_STORE_INSTALLED) {
		int written = go_on(WISP_DDI_SENDING);

		if (written != 0) {
			return written;
		}
	}
	return store_trouble(ret);
}

/*
 * An action.
 */

/* Watches an update on trial. */
static int watch(void)
{
	int64_t now = k_uptime_get();
	int ret;

	wisp_ddi_show(WISP_DDI_PHASE_TRIAL, 0);
	if (client.begun == 0) {
		client.begun = now;
	}
	if (now - client.begun < (int64_t)CONFIG_WISP_DDI_TRIAL_SECONDS * MSEC_PER_SEC) {
		return 0;
	}
	ret = wisp_store_rollback(wisp_ddi_record.app);
	if (ret == WISP_STORE_NO_CANDIDATE) {
		/* It was decided since the check. The next check shows how. */
		return 0;
	}
	return ret != 0 ? store_trouble(ret)
			: wisp_ddi_fail("the update did not confirm itself within " STRINGIFY(CONFIG_WISP_DDI_TRIAL_SECONDS) " seconds, so it was rolled back",
				  "");
}

int wisp_ddi_settle(void)
{
	struct wisp_store_app app;
	enum wisp_ddi_look look;
	int ret = wisp_ddi_look_for(wisp_ddi_record.hash, &look, &app);

	if (ret != 0) {
		return ret;
	}
	/* After a reset, the same is found again. */
	return go_on(look == WISP_DDI_LOOK_ABSENT ? WISP_DDI_SENDING : WISP_DDI_TRIAL);
}

uint32_t wisp_ddi_watch(void)
{
	char trouble[WISP_DDI_WORDS_SIZE];
	struct wisp_store_app app;
	enum wisp_ddi_look look;
	int64_t left = UINT32_MAX;

	if (wisp_ddi_record.verdict != WISP_DDI_OPEN || wisp_ddi_record.step != WISP_DDI_TRIAL) {
		return UINT32_MAX;
	}
	snprintk(trouble, sizeof(trouble), "%s", wisp_ddi_words());
	if (wisp_ddi_look_for(wisp_ddi_record.hash, &look, &app) == 0 &&
	    look == WISP_DDI_LOOK_TRIAL) {
		/* A failure is reported when the server is back. */
		if (watch() == 0 && wisp_ddi_record.verdict == WISP_DDI_OPEN) {
			left = client.begun +
			       (int64_t)CONFIG_WISP_DDI_TRIAL_SECONDS * MSEC_PER_SEC -
			       k_uptime_get();
		}
	}
	wisp_ddi_say(0, "%s", trouble);
	return (uint32_t)CLAMP(left, LOOK_MS, UINT32_MAX);
}

/* Does one step for the present part. */
int wisp_ddi_step(void)
{
	const struct wisp_ddi_part *part = &wisp_ddi_action.parts[wisp_ddi_record.part];
	struct wisp_store_upload upload;
	struct wisp_store_app app;
	enum wisp_ddi_look look;
	int ret = wisp_ddi_look_for(part->hash, &look, &app);

	if (ret != 0) {
		return ret;
	}
	memcpy(wisp_ddi_record.hash, part->hash, sizeof(wisp_ddi_record.hash));
	if (look != WISP_DDI_LOOK_ABSENT) {
		know(app.name, wisp_ddi_is_image(&app.candidate, part->hash) ? app.candidate.version
									     : app.running.version);
	}
	switch (look) {
	case WISP_DDI_LOOK_KEPT:
		return keep();
	case WISP_DDI_LOOK_TRIAL:
		if (wisp_ddi_record.step != WISP_DDI_TRIAL) {
			ret = go_on(WISP_DDI_TRIAL);
		}
		return ret == 0 ? watch() : ret;
	case WISP_DDI_LOOK_DISABLED:
		return fail_of_app(wisp_ddi_record.step == WISP_DDI_TRIAL
					   ? "the update was disabled"
					   : "the update is installed and disabled");
	case WISP_DDI_LOOK_COVERED:
		if (wisp_ddi_record.step == WISP_DDI_TRIAL) {
			return keep();
		}
		break;
	default:
		if (wisp_ddi_record.step == WISP_DDI_TRIAL && !has_upload(part->hash, &upload)) {
			return fail_of_app("the update was rolled back");
		}
		break;
	}
	ret = install();
	if (ret == WISP_DDI_LASTING) {
		wisp_ddi_give_up();
		return wisp_ddi_fail(wisp_ddi_words(), "");
	}
	return ret;
}

/*
 * Undoes the action, unless one of its apps is kept already. `words` gets the reason why it cannot
 * be undone.
 */
int wisp_ddi_undo(const char **words)
{
	struct wisp_ddi_record *record = &wisp_ddi_record;
	struct wisp_store_app app;
	enum wisp_ddi_look look;
	int ret;

	*words = NULL;
	if (record->verdict != WISP_DDI_OPEN) {
		*words = "the action has ended already";
		return 0;
	}
	if (record->part > 0) {
		*words = "an app is kept already";
		return 0;
	}
	if (record->step == WISP_DDI_WAITING) {
		return 0;
	}
	ret = wisp_ddi_look_for(record->hash, &look, &app);
	if (ret != 0) {
		return ret;
	}
	switch (look) {
	case WISP_DDI_LOOK_KEPT:
	case WISP_DDI_LOOK_COVERED:
		*words = "the app is kept already";
		return 0;
	case WISP_DDI_LOOK_TRIAL:
	case WISP_DDI_LOOK_DISABLED:
		ret = wisp_store_rollback(app.name);
		break;
	default:
		wisp_ddi_give_up();
		break;
	}
	return ret == 0 ? 0 : store_trouble(ret);
}
