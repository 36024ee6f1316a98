/* SPDX-License-Identifier: Apache-2.0 */

/* What happens to the apps during a soak: updates good and bad, visits, broken uploads. */

#include <string.h>

#include <zephyr/kernel.h>
#include <zephyr/sys/util.h>

#include <wisp/storage.h>
#include <wisp/wisp.h>

#include "soak.h"
/* Of the module: announces an image in memory. */
#include "storage/describe.h"

static const uint8_t steady_1[] __aligned(8) = {
#include <soak/steady_1.inc>
};
static const uint8_t steady_2[] __aligned(8) = {
#include <soak/steady_2.inc>
};
static const uint8_t steady_crashing[] __aligned(8) = {
#include <soak/steady_crashing.inc>
};
static const uint8_t steady_silent[] __aligned(8) = {
#include <soak/steady_silent.inc>
};
static const uint8_t listener[] __aligned(8) = {
#include <soak/listener.inc>
};
static const uint8_t crasher[] __aligned(8) = {
#include <soak/crasher.inc>
};
static const uint8_t hanger[] __aligned(8) = {
#include <soak/hanger.inc>
};
static const uint8_t visitor[] __aligned(8) = {
#include <soak/visitor.inc>
};

/* Those that must never be lost. */
static const char *const residents[] = {"steady", "listener", "crasher", "hanger"};

struct soak_counts soak_counts;

/* Longest wait for anything, milliseconds. */
#define PATIENCE 60000

static struct wisp_store_app stored(const char *name)
{
	struct wisp_store_app app;
	int ret = wisp_store_find(name, &app);

	CHECK(ret == 0, "%s is lost: error %d", name, ret);
	return app;
}

static void announce(const uint8_t *image, size_t size, struct wisp_store_upload *upload)
{
	int ret = wisp_describe_image(image, size, upload);

	CHECK(ret == 0, "the image is refused: %d", ret);
	ret = wisp_store_begin(upload);
	CHECK(ret == 0, "%s: the announcement is refused: %d", upload->name, ret);
}

/* Sends an image in pieces as a client does. */
static void install(const uint8_t *image, size_t size)
{
	struct wisp_store_upload upload;
	int ret;

	announce(image, size, &upload);
	for (uint32_t at = upload.offset; at < size; at += MIN(size - at, 300)) {
		ret = wisp_store_write(at, image + at, MIN(size - at, 300));
		CHECK(ret == 0, "%s: byte %u is refused: %d", upload.name, at, ret);
	}
	ret = wisp_store_finish();
	CHECK(ret == 0, "%s: the image is refused: %d", upload.name, ret);
}

/* Waits until the app runs an image of this version, and has no update. */
static void settle(const char *name, uint8_t version)
{
	for (int waited = 0;; waited += 200) {
		struct wisp_store_app app = stored(name);

		if (app.candidate.length == 0 && app.running.length != 0 &&
		    (app.running.version & 0xff) == version) {
			return;
		}
		CHECK(waited < PATIENCE, "%s does not settle at version %u", name, version);
		k_msleep(200);
	}
}

void soak_setup(void)
{
	const struct {
		const char *name;
		const uint8_t *image;
		size_t size;
	} all[] = {
		{"steady", steady_1, sizeof(steady_1)},
		{"listener", listener, sizeof(listener)},
		{"crasher", crasher, sizeof(crasher)},
		{"hanger", hanger, sizeof(hanger)},
	};

	for (size_t i = 0; i < ARRAY_SIZE(all); i++) {
		struct wisp_store_app app;

		if (wisp_store_find(all[i].name, &app) != 0) {
			install(all[i].image, all[i].size);
			settle(all[i].name, 1);
		}
	}
}

void soak_check_apps(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(residents); i++) {
		struct wisp_store_app app = stored(residents[i]);
		struct wisp_app_status status;

		CHECK(!app.disabled, "%s is disabled", residents[i]);
		CHECK(app.running.length != 0, "%s has no confirmed image", residents[i]);
		/* It may be about to be started again. */
		for (int waited = 0;; waited += 100) {
			wisp_app_status(wisp_app_find(residents[i]), &status);
			if (status.state == WISP_APP_RUNNING) {
				break;
			}
			CHECK(waited < PATIENCE, "%s does not run", residents[i]);
			k_msleep(100);
		}
	}
}

static void update(void)
{
	uint8_t now = stored("steady").running.version & 0xff;

	if (now == 1) {
		install(steady_2, sizeof(steady_2));
		settle("steady", 2);
	} else {
		install(steady_1, sizeof(steady_1));
		settle("steady", 1);
	}
	soak_counts.updates++;
}

static void bad_update(const uint8_t *image, size_t size, uint32_t *count)
{
	struct wisp_store_app before = stored("steady");
	struct wisp_store_app after;

	install(image, size);
	settle("steady", before.running.version & 0xff);
	after = stored("steady");
	CHECK(memcmp(&after.running, &before.running, sizeof(before.running)) == 0,
	      "steady is not what it was before the bad update");
	(*count)++;
}

static void visit(void)
{
	struct wisp_store_app app;
	int ret;

	/* It may still be there from before a power cut. */
	if (wisp_store_find("visitor", &app) == 0) {
		ret = wisp_store_uninstall("visitor");
		CHECK(ret == 0, "visitor: not uninstalled: %d", ret);
	}
	install(visitor, sizeof(visitor));
	settle("visitor", 1);
	ret = wisp_store_uninstall("visitor");
	CHECK(ret == 0, "visitor: not uninstalled: %d", ret);
	soak_counts.visits++;
}

static void broken_upload(bool complete)
{
	static uint8_t piece[300];
	struct wisp_store_upload upload;
	size_t size = complete ? sizeof(steady_silent) : sizeof(steady_silent) / 2;
	int ret;

	announce(steady_silent, sizeof(steady_silent), &upload);
	for (uint32_t at = upload.offset; at < size;) {
		size_t length = MIN(size - at, sizeof(piece));

		memcpy(piece, steady_silent + at, length);
		/* One bit of the last byte */
		piece[length - 1] ^= (at + length == sizeof(steady_silent)) ? 1 : 0;
		ret = wisp_store_write(at, piece, length);
		CHECK(ret == 0, "byte %u is refused: %d", at, ret);
		at += length;
	}
	if (complete) {
		ret = wisp_store_finish();
		CHECK(ret != 0, "a damaged image was accepted");
		/* Announced with the good image's hash, the upload may have been kept. */
		(void)wisp_store_abort();
		soak_counts.damaged++;
	} else {
		ret = wisp_store_abort();
		CHECK(ret == 0, "not given up: %d", ret);
		soak_counts.aborted++;
	}
}

void soak_step(uint32_t number)
{
	switch (number % 6) {
	case 0:
		update();
		break;
	case 1:
		bad_update(steady_crashing, sizeof(steady_crashing),
			   &soak_counts.crashes_rolled_back);
		break;
	case 2:
		visit();
		break;
	case 3:
		bad_update(steady_silent, sizeof(steady_silent), &soak_counts.silences_rolled_back);
		break;
	case 4:
		broken_upload(false);
		break;
	default:
		broken_upload(true);
		break;
	}
}
