/* SPDX-License-Identifier: Apache-2.0 */

/**
 * @file
 * @brief App storage: installing, updating and supervising apps.
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
 * @defgroup wisp_storage Wisp app storage
 * @ingroup wisp
 * @brief Apps in flash that are installed, updated, rolled back, started and supervised.
 *
 * The app storage is the flash partition `wisp_storage` with @kconfig{CONFIG_WISP_STORAGE}. An
 * installed app runs in the `struct wisp_app` of the firmware that has its name.
 *
 * One thread, the thread of the app storage, executes all functions one after the other. Each
 * function blocks until its work is done, which may take as long as flash needs to erase
 * blocks. It may be called from any thread but an app's own, and not from an interrupt. A
 * function keeps no pointer that it is given.
 *
 * Unless a function says otherwise, it returns 0 or a positive @ref wisp_store_error. Every
 * function may return WISP_STORE_NOT_MOUNTED and WISP_STORE_FLASH.
 * @{
 */

/** @brief Bytes that a name takes at most, with its NUL. */
#define WISP_STORE_NAME_SIZE 32
/** @brief Number of slots for installed apps. */
#define WISP_STORE_SLOTS     8

/**
 * @brief Error of the app storage.
 *
 * The numbers never change. They are also the error codes of the MCUmgr group.
 */
enum wisp_store_error {
	/** Success. */
	WISP_STORE_OK = 0,
	/** The flash driver failed. */
	WISP_STORE_FLASH = 1,
	/** The partition is too small, or its sizes do not fit together. */
	WISP_STORE_GEOMETRY = 2,
	/** The table of erase counts is too short, an error in the firmware. */
	WISP_STORE_WEAR_TABLE = 3,
	/** Another upload is going on. */
	WISP_STORE_BUSY = 4,
	/** No such app is installed. */
	WISP_STORE_NOT_FOUND = 5,
	/** The name is empty or too long. */
	WISP_STORE_NAME = 6,
	/** All slots for apps are taken. */
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
	/** No range of free blocks is large enough. */
	WISP_STORE_NO_SPACE = 13,
	/** No upload is going on. */
	WISP_STORE_NO_UPLOAD = 14,
	/** The piece does not begin where the last one ended. */
	WISP_STORE_OFFSET = 15,
	/** The piece reaches beyond the announced length. */
	WISP_STORE_LENGTH = 16,
	/** Bytes of the upload are missing. */
	WISP_STORE_INCOMPLETE = 17,
	/** The image is damaged. */
	WISP_STORE_HASH = 18,
	/** No room to remember another retired key. */
	WISP_STORE_RETIRED_FULL = 19,
	/** The partition is too small for its journal. */
	WISP_STORE_JOURNAL_FULL = 20,
	/** Both copies of the journal are damaged at the same place. */
	WISP_STORE_DAMAGED = 21,
	/** A firmware with another format made the app storage. */
	WISP_STORE_FORMAT = 22,
	/** The partition holds something that is no app storage of its size. */
	WISP_STORE_FOREIGN = 23,
	/** No room to remember the rollback counter of another uninstalled app. */
	WISP_STORE_FLOORS_FULL = 24,
	/**
	 * The version is lower than the confirmed one's, and the image is not marked as a
	 * downgrade.
	 */
	WISP_STORE_VERSION = 28,
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
	/** The image's rollback counter is lower than the installed one's. */
	WISP_STORE_TRUST_ROLLBACK = 40,
	/** The image retires keys, and no root key signed it. */
	WISP_STORE_NOT_ROOT = 41,
	/** The attached native code is damaged or belongs to another image. */
	WISP_STORE_BAD_ATTACHMENT = 42,
	/** The firmware has no such compile key. */
	WISP_STORE_UNKNOWN_COMPILE_KEY = 43,
	/** The app storage could not be opened at boot. */
	WISP_STORE_NOT_MOUNTED = 64,
	/** The bytes are no image for this version of the firmware. */
	WISP_STORE_NO_IMAGE = 65,
	/** Name, version or rollback counter differ from the announcement. */
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
	/** The image imports a function that the firmware does not have. */
	WISP_STORE_NO_INTERFACE = 72,
	/** The app's node grants nothing of an interface that the image needs. */
	WISP_STORE_NOT_GRANTED = 73,
	/** The image has native code only, and none that runs here. */
	WISP_STORE_NO_NATIVE = 74,
	/** The app is running, and its arguments cannot change. */
	WISP_STORE_RUNNING = 75,
	/** The arguments or the environment take more than CONFIG_WISP_ARGS_SIZE bytes. */
	WISP_STORE_ARGS_SIZE = 76,
	/** A variable of the environment has no name or no equals sign. */
	WISP_STORE_VARIABLE = 77,
	/** The arguments are set, and could not be saved in the settings. */
	WISP_STORE_NOT_SAVED = 78,
	/**
	 * There is no RAM for the image beside those that run, see
	 * CONFIG_WISP_STORAGE_RAM_SIZE.
	 */
	WISP_STORE_NO_RAM = 79,
	/** The upload belongs to another client. */
	WISP_STORE_NOT_OWNER = 80,
	/** The request has no signature, and the firmware wants one. */
	WISP_STORE_NOT_SIGNED = 81,
	/** No management key of the firmware signed the request for this device and this boot. */
	WISP_STORE_NOT_MANAGER = 82,
	/** The signed request is not the next one: it came before, or another one came between. */
	WISP_STORE_REPLAYED = 83,
	/** The random number generator failed. */
	WISP_STORE_NO_RANDOM = 84,
	/** The image is for another board, vendor or class of device. */
	WISP_STORE_NOT_FOR_DEVICE = 85,
	/** The image is of an earlier epoch than one that was confirmed. */
	WISP_STORE_EPOCH = 86,
};

/** @brief Image of an installed app. Its length is 0 if there is none. */
struct wisp_store_image {
	/** Length in bytes. */
	uint32_t length;
	/** Version: major in bits 0 to 7, minor in bits 8 to 15, patch in bits 16 to 31. */
	uint32_t version;
	/** Rollback counter. */
	uint32_t rollback;
	/** SHA-256 of all its bytes. */
	uint8_t hash[32];
};

/** @brief Installed app. */
struct wisp_store_app {
	/** Slot of the app, below WISP_STORE_SLOTS. */
	uint8_t slot;
	/** Number of starts of the update on trial. */
	uint8_t attempts;
	/** Number of crashes of the confirmed image. */
	uint16_t crashes;
	/** True if the app crashed too often and is not started automatically. */
	bool disabled;
	/** True if the app is started by request only. */
	bool manual;
	/** Lowest rollback counter an update may have. */
	uint32_t floor;
	/** Name, NUL-terminated. */
	char name[WISP_STORE_NAME_SIZE];
	/** The confirmed image. */
	struct wisp_store_image running;
	/** The update on trial. */
	struct wisp_store_image candidate;
};

/** @brief Upload of an image. */
struct wisp_store_upload {
	/** Name of the app, NUL-terminated. */
	char name[WISP_STORE_NAME_SIZE];
	/** Announced properties. They are compared with the complete image. */
	struct wisp_store_image image;
	/** Linear memory that the image needs, in bytes, or 0 if unknown. */
	uint32_t memory;
	/** Largest frame of the image in bytes, or 0 if unknown. */
	uint32_t frame;
	/** True if the image may have a lower version than the confirmed one. */
	bool downgrade;
	/**
	 * Names of the import modules that the image needs, with spaces between them, not
	 * NUL-terminated, or NULL if unknown. Only wisp_store_begin() reads the names.
	 */
	const char *interfaces;
	/** Length of the names in bytes. */
	size_t interfaces_length;
	/**
	 * Targets of the native sections of an image without IR, three bytes each as in the headers
	 * of the sections. NULL if the image has IR or this is unknown. Only wisp_store_begin()
	 * reads the targets.
	 */
	const uint8_t *targets;
	/** Length of the targets in bytes. */
	size_t targets_length;
	/** Bytes of the image that have arrived. */
	uint32_t offset;
};

/** @brief Figures of the app storage. Blocks are erase blocks. */
struct wisp_store_stat {
	/** Size of a block in bytes. */
	uint32_t erase_block;
	/** Blocks for images. */
	uint32_t blocks;
	/** Free blocks among them. */
	uint32_t free;
	/** Blocks in the largest free range. */
	uint32_t largest;
	/** Erases of the least worn block for images. */
	uint32_t wear_least;
	/** Erases of the most worn block for images. */
	uint32_t wear_most;
	/** Erases of the most worn block of the journal. */
	uint32_t journal_wear;
	/** Bytes of the journal that are used. */
	uint32_t journal_used;
	/** Size of the journal in bytes. Each of its two copies takes as many. */
	uint32_t journal_size;
	/** Keys that were retired. */
	uint32_t retired_keys;
};

/**
 * @brief Reads the app in a slot.
 *
 * @param slot Slot, below WISP_STORE_SLOTS.
 * @param[out] app App in the slot. If both images have length 0, the app was uninstalled.
 *
 * @retval WISP_STORE_OK The app was read.
 * @retval WISP_STORE_NOT_FOUND The slot was never used.
 */
int wisp_store_get(uint32_t slot, struct wisp_store_app *app);

/**
 * @brief Finds an installed app by its name.
 *
 * @param name Name of the app, NUL-terminated.
 * @param[out] app App of this name.
 *
 * @retval WISP_STORE_OK The app was found.
 * @retval WISP_STORE_NOT_FOUND No app of this name is installed.
 */
int wisp_store_find(const char *name, struct wisp_store_app *app);

/**
 * @brief Announces the upload of an image, or continues an upload of the same image.
 *
 * While a client of SMP uploads, the function returns WISP_STORE_BUSY, even for the same image.
 *
 * Name, memory, frame, interfaces, targets, version, rollback counter and space are checked before
 * anything is erased.
 *
 * @param[in,out] upload Announcement. Its offset is set to the first byte that has to be written.
 *
 * @return 0, or a @ref wisp_store_error such as WISP_STORE_BUSY, WISP_STORE_NO_APP,
 *        WISP_STORE_TOO_LARGE, WISP_STORE_NO_INTERFACE, WISP_STORE_NOT_GRANTED,
 *        WISP_STORE_ROLLBACK or WISP_STORE_NO_SPACE.
 */
int wisp_store_begin(struct wisp_store_upload *upload);

/**
 * @brief Writes the next bytes of the upload.
 *
 * @param offset Offset of the bytes in the image. It must be that of the first byte that is
 *        missing.
 * @param data Bytes.
 * @param length Number of bytes.
 *
 * @return 0, or WISP_STORE_NO_UPLOAD, WISP_STORE_NOT_OWNER, WISP_STORE_OFFSET or
 *        WISP_STORE_LENGTH.
 */
int wisp_store_write(uint32_t offset, const void *data, size_t length);

/**
 * @brief Reads the upload that is going on.
 *
 * @param[out] upload Upload.
 *
 * @retval WISP_STORE_OK The upload was read.
 * @retval WISP_STORE_NO_UPLOAD No upload is going on.
 */
int wisp_store_progress(struct wisp_store_upload *upload);

/**
 * @brief Checks the complete upload and makes it the update of its app.
 *
 * The app is then stopped and started with the update, unless it is started by request only. An
 * upload that is refused is deleted. Checking hash and signature takes 1.8 million instructions on
 * a Cortex-M3.
 *
 * @return 0, or a @ref wisp_store_error such as WISP_STORE_NOT_OWNER, WISP_STORE_INCOMPLETE,
 *        WISP_STORE_HASH, WISP_STORE_ANNOUNCED, or one of the errors of signatures.
 */
int wisp_store_finish(void);

/**
 * @brief Deletes the upload that is going on, also that of a client.
 *
 * @retval WISP_STORE_OK The upload was deleted.
 * @retval WISP_STORE_NO_UPLOAD No upload is going on.
 */
int wisp_store_abort(void);

/**
 * @brief Starts an app, with its update if it has one.
 *
 * If the app's thread faulted and has not yet released what was open, the function returns
 * WISP_STORE_NOT_STOPPED, and the start is tried again later.
 *
 * @param name Name of the app, NUL-terminated.
 *
 * @return 0, or WISP_STORE_NOT_FOUND, WISP_STORE_NO_APP, WISP_STORE_ALREADY,
 *        WISP_STORE_NOT_STOPPED, WISP_STORE_NOT_LOADED, or the reason for which the image may not
 *        run.
 */
int wisp_store_start(const char *name);

/**
 * @brief Stops an app until it is started by request or the device boots.
 *
 * @param name Name of the app, NUL-terminated.
 *
 * @return 0, or WISP_STORE_NOT_FOUND, WISP_STORE_ALREADY or WISP_STORE_NOT_STOPPED.
 */
int wisp_store_stop(const char *name);

/**
 * @brief Confirms the update of an app, which replaces the image before it.
 *
 * @param name Name of the app, NUL-terminated.
 *
 * @return 0, or WISP_STORE_NOT_FOUND, WISP_STORE_NO_CANDIDATE or WISP_STORE_UNTRIED.
 */
int wisp_store_confirm(const char *name);

/**
 * @brief Deletes the update of an app, and runs the image before it.
 *
 * @param name Name of the app, NUL-terminated.
 *
 * @return 0, or WISP_STORE_NOT_FOUND, WISP_STORE_NO_CANDIDATE or WISP_STORE_NOT_STOPPED.
 */
int wisp_store_rollback(const char *name);

/**
 * @brief Stops an app and deletes its images.
 *
 * @param name Name of the app, NUL-terminated.
 *
 * @return 0, or WISP_STORE_NOT_FOUND or WISP_STORE_NOT_STOPPED.
 */
int wisp_store_uninstall(const char *name);

/**
 * @brief Makes an empty app storage, whatever the partition holds.
 *
 * Stops and deletes all apps. Works also if the app storage could not be opened. Retired keys and
 * the rollback counters of apps are kept, as far as they can be read.
 *
 * @return 0, or a @ref wisp_store_error.
 */
int wisp_store_format(void);

/**
 * @brief Reads the figures of the app storage.
 *
 * @param[out] stat Figures.
 *
 * @return 0, or a @ref wisp_store_error.
 */
int wisp_store_stat(struct wisp_store_stat *stat);

/**
 * @brief Describes an error in a few words.
 *
 * Does not block, and may be called from any thread.
 *
 * @param error A @ref wisp_store_error.
 * @param[out] length Length of the text in bytes. The text is not NUL-terminated.
 *
 * @return Text with static lifetime.
 */
const char *wisp_store_words(int error, size_t *length);

/** @} */

#ifdef __cplusplus
}
#endif

#endif /* WISP_INCLUDE_WISP_STORAGE_H_ */
