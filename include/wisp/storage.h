/* SPDX-License-Identifier: Apache-2.0 */

/**
 * @file
 * @brief The app store: installing, updating and supervising apps.
 */

#ifndef WISP_INCLUDE_WISP_STORAGE_H_
#define WISP_INCLUDE_WISP_STORAGE_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * @defgroup wisp_storage Wisp app store
 * @ingroup wisp
 * @brief Apps on flash: installed, updated, rolled back, started and supervised.
 *
 * An app of the store runs in the app of the firmware that has its name. All functions may
 * be called from any thread but an app's own, and return 0 or an @ref wisp_store_error.
 * They wait for the store's thread, which does one thing at a time.
 * @{
 */

/** @brief Bytes for a name, with its NUL. */
#define WISP_STORE_NAME_SIZE 32
/** @brief Most apps. */
#define WISP_STORE_SLOTS     8

/** @brief What went wrong. The numbers never change: they are those of the MCUmgr group. */
enum wisp_store_error {
	/** Nothing. */
	WISP_STORE_OK = 0,
	/** The flash driver failed. */
	WISP_STORE_FLASH = 1,
	/** The partition cannot hold a store. */
	WISP_STORE_GEOMETRY = 2,
	/** Internal: the table of erase counts is too short. */
	WISP_STORE_WEAR_TABLE = 3,
	/** Another upload is going on. */
	WISP_STORE_BUSY = 4,
	/** No such app is installed. */
	WISP_STORE_NOT_FOUND = 5,
	/** The name is empty or too long. */
	WISP_STORE_NAME = 6,
	/** All places for apps are taken. */
	WISP_STORE_NO_SLOT = 7,
	/** An update is on trial. */
	WISP_STORE_PENDING = 8,
	/** There is no update to confirm or roll back. */
	WISP_STORE_NO_CANDIDATE = 9,
	/** The update has not run yet. */
	WISP_STORE_UNTRIED = 10,
	/** This image is installed already. */
	WISP_STORE_INSTALLED = 11,
	/** The rollback counter is too low. */
	WISP_STORE_ROLLBACK = 12,
	/** Not enough free space in one piece. */
	WISP_STORE_NO_SPACE = 13,
	/** No upload is going on. */
	WISP_STORE_NO_UPLOAD = 14,
	/** The piece does not begin where the last one ended. */
	WISP_STORE_OFFSET = 15,
	/** The piece reaches beyond the announced length. */
	WISP_STORE_LENGTH = 16,
	/** Bytes are missing. */
	WISP_STORE_INCOMPLETE = 17,
	/** The image is damaged. */
	WISP_STORE_HASH = 18,
	/** No room to remember another retired key. */
	WISP_STORE_RETIRED_FULL = 19,
	/** The partition is too small for its journal. */
	WISP_STORE_JOURNAL_FULL = 20,
	/** Both copies of the journal are damaged at the same place. */
	WISP_STORE_DAMAGED = 21,
	/** The store was made by a firmware with another format. */
	WISP_STORE_FORMAT = 22,
	/** The partition holds something that is no store of its size. */
	WISP_STORE_FOREIGN = 23,
	/** No room to remember the rollback counter of another uninstalled app. */
	WISP_STORE_FLOORS_FULL = 24,
	/**
	 * The version is lower than the confirmed one's, and the image is not marked as a
	 * downgrade.
	 */
	WISP_STORE_VERSION = 28,
	/** Errors of the signature check begin after this. */
	WISP_STORE_TRUST = 32,
	/** The trailer is damaged. */
	WISP_STORE_BAD_TRAILER = 33,
	/** The content differs from the trailer's hash. */
	WISP_STORE_TRAILER_HASH = 34,
	/** The image is not signed. */
	WISP_STORE_UNSIGNED = 35,
	/** The firmware does not know the key. */
	WISP_STORE_UNKNOWN_KEY = 36,
	/** The key was retired. */
	WISP_STORE_RETIRED_KEY = 37,
	/** The signature is wrong. */
	WISP_STORE_SIGNATURE = 38,
	/** The image's list of keys to retire is wrong. */
	WISP_STORE_BAD_RETIREMENT = 39,
	/** The image retires keys, and no root key signed it. */
	WISP_STORE_NOT_ROOT = 41,
	/** The store could not be opened. */
	WISP_STORE_NOT_MOUNTED = 64,
	/** The bytes are no image of this version. */
	WISP_STORE_NO_IMAGE = 65,
	/** Name, version or rollback counter differ from what was announced. */
	WISP_STORE_ANNOUNCED = 66,
	/** The image needs more memory than the app has. */
	WISP_STORE_TOO_LARGE = 67,
	/** The firmware has no app of this name. */
	WISP_STORE_NO_APP = 68,
	/** The app did not end in time. */
	WISP_STORE_NOT_STOPPED = 69,
	/** The app runs already, or does not run. */
	WISP_STORE_ALREADY = 70,
	/** The image was refused when it was loaded. */
	WISP_STORE_NOT_LOADED = 71,
	/** The image imports what the firmware does not have. */
	WISP_STORE_NO_INTERFACE = 72,
	/** The app's node grants nothing of an interface that the image needs. */
	WISP_STORE_NOT_GRANTED = 73,
	/** The image has native code only, and none that runs here. */
	WISP_STORE_NO_NATIVE = 74,
	/** The upload is that of another client. */
	WISP_STORE_NOT_OWNER = 80,
};

/** @brief An image of an app; its length is 0 if there is none. */
struct wisp_store_image {
	/** Bytes. */
	uint32_t length;
	/** Major, minor (a byte each) and patch, from the lowest byte on. */
	uint32_t version;
	/** Rollback counter. */
	uint32_t rollback;
	/** SHA-256 of all its bytes. */
	uint8_t hash[32];
};

/** @brief An app of the store. */
struct wisp_store_app {
	/** Its place, below WISP_STORE_SLOTS. */
	uint8_t slot;
	/** How often the candidate was started. */
	uint8_t attempts;
	/** Crashes of the confirmed image. */
	uint16_t crashes;
	/** It crashed too often and is not started by itself. */
	bool disabled;
	/** It is started by hand only. */
	bool manual;
	/** Lowest rollback counter an update may have. */
	uint32_t floor;
	/** NUL-terminated. */
	char name[WISP_STORE_NAME_SIZE];
	/** The confirmed image. */
	struct wisp_store_image running;
	/** The update on trial. */
	struct wisp_store_image candidate;
};

/** @brief An upload. */
struct wisp_store_upload {
	/** Name of the app, NUL-terminated. */
	char name[WISP_STORE_NAME_SIZE];
	/** What is announced; compared with the image when it is complete. */
	struct wisp_store_image image;
	/** Bytes of linear memory it needs, 0 if not known: checked before anything is erased. */
	uint32_t memory;
	/** Bytes of its largest frame, 0 if not known: checked before anything is erased. */
	uint32_t frame;
	/** It may have a lower version than the confirmed image; compared with the image, too. */
	bool downgrade;
	/**
	 * Names of the import modules it needs, with spaces between them, not NUL-terminated;
	 * NULL if not known: checked before anything is erased. Read by wisp_store_begin() only.
	 */
	const char *interfaces;
	/** Bytes of the names. */
	size_t interfaces_length;
	/**
	 * Machines that an image without IR has native code for, three bytes each, as in the
	 * headers of its native sections; NULL if it has IR or this is not known. Checked before
	 * anything is erased, and read by wisp_store_begin() only.
	 */
	const uint8_t *targets;
	/** Bytes of the machines. */
	size_t targets_length;
	/** Bytes that arrived. */
	uint32_t offset;
};

/** @brief Figures of the store. Blocks are erase blocks. */
struct wisp_store_stat {
	/** Bytes of a block. */
	uint32_t erase_block;
	/** Blocks for images. */
	uint32_t blocks;
	/** Free ones among them. */
	uint32_t free;
	/** Blocks in the largest hole. */
	uint32_t largest;
	/** Erases of the least worn block for images. */
	uint32_t wear_least;
	/** Erases of the most worn block for images. */
	uint32_t wear_most;
	/** Erases of the most worn block of the journal. */
	uint32_t journal_wear;
	/** Bytes of the journal that are used. */
	uint32_t journal_used;
	/** Bytes that it has; each of its two copies takes as many. */
	uint32_t journal_size;
	/** Keys that were retired. */
	uint32_t retired_keys;
};

/**
 * @brief Reads the app in a place.
 *
 * @param slot Below WISP_STORE_SLOTS.
 * @param app Filled in. An app without images was uninstalled.
 */
int wisp_store_get(uint32_t slot, struct wisp_store_app *app);

/**
 * @brief Finds an installed app.
 *
 * @param name Its name.
 * @param app Filled in.
 */
int wisp_store_find(const char *name, struct wisp_store_app *app);

/**
 * @brief Announces an image, or goes on with the same upload.
 *
 * Checks name, memory, frame, interfaces, rollback counter and space before anything is erased.
 *
 * @param upload What comes; its offset is set to where to go on.
 */
int wisp_store_begin(struct wisp_store_upload *upload);

/**
 * @brief Takes the next bytes of the upload.
 *
 * @param offset Where they belong.
 * @param data The bytes.
 * @param length How many.
 */
int wisp_store_write(uint32_t offset, const void *data, size_t length);

/**
 * @brief The upload that is going on.
 *
 * @param upload Filled in.
 */
int wisp_store_progress(struct wisp_store_upload *upload);

/**
 * @brief Checks the complete upload and makes it its app's candidate.
 *
 * The app is then stopped and started with the update, unless it is started by hand only.
 * An upload that is refused is dropped.
 */
int wisp_store_finish(void);

/** @brief Drops the upload. */
int wisp_store_abort(void);

/**
 * @brief Starts an app, with its update if it has one.
 *
 * @param name Its name.
 */
int wisp_store_start(const char *name);

/**
 * @brief Stops an app until it is started again, or the next boot.
 *
 * @param name Its name.
 */
int wisp_store_stop(const char *name);

/**
 * @brief Keeps the update of an app.
 *
 * @param name Its name.
 */
int wisp_store_confirm(const char *name);

/**
 * @brief Drops the update of an app, and goes on with the image before it.
 *
 * @param name Its name.
 */
int wisp_store_rollback(const char *name);

/**
 * @brief Stops an app and removes it.
 *
 * @param name Its name.
 */
int wisp_store_uninstall(const char *name);

/**
 * @brief Makes an empty store of whatever the partition holds.
 *
 * Stops and removes all apps. Works also when the store could not be opened. Retired keys and the
 * rollback counters of apps are kept as far as they can be read.
 */
int wisp_store_format(void);

/**
 * @brief Tells the store's figures.
 *
 * @param stat Filled in.
 */
int wisp_store_stat(struct wisp_store_stat *stat);

/**
 * @brief An error in words.
 *
 * @param error An @ref wisp_store_error.
 * @param length Set to the length of the text, which is not NUL-terminated.
 *
 * @return The text, in flash.
 */
const char *wisp_store_words(int error, size_t *length);

/** @} */

#ifdef __cplusplus
}
#endif

#endif /* WISP_INCLUDE_WISP_STORAGE_H_ */
