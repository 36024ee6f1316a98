/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The lowest epoch that an image may have: that of the latest image that was confirmed, of whatever
 * app. It is in the settings, which no operation of the app storage deletes. All functions run in
 * the thread of the app storage.
 */

#include <errno.h>

#include <zephyr/logging/log.h>
#include <zephyr/settings/settings.h>

#include "storage/shim.h"

LOG_MODULE_DECLARE(wisp, CONFIG_WISP_LOG_LEVEL);

#define EPOCH_KEY "wisp_epoch/least"

static uint32_t least;
static bool is_loaded;

/* Copies of the epoch, of which each bit has the value that most have: settings may lose a bit. */
struct kept {
	uint32_t copies[3];
};

bool wisp_shim_epoch(uint32_t *out)
{
	struct kept kept;
	const uint32_t *copy = kept.copies;
	ssize_t length;

	if (!is_loaded) {
		length = settings_subsys_init() == 0
				 ? settings_load_one(EPOCH_KEY, &kept, sizeof(kept))
				 : -EIO;
		/* No setting of this name: no image of an epoch was ever confirmed. */
		if (length != sizeof(kept) && length != 0 && length != -ENOENT) {
			LOG_ERR("the epoch cannot be read from the settings: error %d",
				length < 0 ? (int)-length : EIO);
			return false;
		}
		least = length != sizeof(kept)
				? 0
				: (copy[0] & copy[1]) | (copy[0] & copy[2]) | (copy[1] & copy[2]);
		is_loaded = true;
	}
	*out = least;
	return true;
}

bool wisp_shim_raise_epoch(uint32_t epoch)
{
	const struct kept kept = {.copies = {epoch, epoch, epoch}};
	uint32_t present;
	int ret;

	if (!wisp_shim_epoch(&present)) {
		return false;
	}
	if (epoch <= present) {
		return true;
	}
	ret = settings_save_one(EPOCH_KEY, &kept, sizeof(kept));
	if (ret != 0) {
		LOG_ERR("the epoch cannot be saved in the settings: error %d", -ret);
		return false;
	}
	least = epoch;
	LOG_INF("epoch %u: images of earlier ones are refused from now on", (unsigned int)epoch);
	return true;
}
