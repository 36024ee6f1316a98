/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The interface between C and Rust of the app storage, a part of border/shim.h. All
 * wisp_rust_store_* functions are called by one thread, that of storage.c, unless a comment says
 * otherwise.
 */

#ifndef WISP_STORAGE_SHIM_H_
#define WISP_STORAGE_SHIM_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <wisp/storage.h>

struct wisp_app;

/* Geometry of the partition. */
struct wisp_flash_geometry {
	uint32_t size;
	uint32_t erase_block;
	uint32_t write_block;
	uint8_t erased;
};

/* Access the partition at an offset from its start. Return 0, or another number for an error. */
void wisp_shim_flash_geometry(struct wisp_flash_geometry *geometry);
int32_t wisp_shim_flash_read(uint32_t offset, uint8_t *data, size_t length);
int32_t wisp_shim_flash_write(uint32_t offset, const uint8_t *data, size_t length);
int32_t wisp_shim_flash_erase(uint32_t offset, size_t length);

/*
 * Returns the bytes of an image at an offset of the partition, at a multiple of 8, until each that
 * holds it has released it. Sets `copied` if they are a copy in RAM. Returns NULL and an enum
 * wisp_store_error in `error` if the image cannot be read.
 */
const uint8_t *wisp_shim_image_hold(uint32_t offset, size_t length, bool *copied, uint32_t *error);
void wisp_shim_image_release(const uint8_t *image);

/* Parameters of the check of an image before it is accepted or started. */
struct wisp_store_trust {
	/* Public app keys, root keys and compile keys, 32 bytes each. */
	const uint8_t *keys;
	size_t key_count;
	const uint8_t *roots;
	size_t root_count;
	const uint8_t *compilers;
	size_t compiler_count;
	/* True if a start checks the signature as well as the hash. */
	bool check_signature;
	/* True if images without a signature are accepted. */
	bool allow_unsigned;
	/* Names of the device. An image can be for some of them only. */
	const char *board;
	const char *board_target;
	const char *vendor;
	const char *device_class;
	/* App for which the image is. */
	const struct wisp_app *app;
	uint32_t memory_size;
	uint32_t frame_size;
};

/*
 * Rust: opens the app storage. `wear` has an entry for each erase block. `how` is 0 if the
 * journal was clean, 1 if it was recovered, 2 if it was repaired, 3 if it was formatted. The
 * second function makes an empty app storage, whatever the partition holds.
 */
uint32_t wisp_rust_store_mount(uint32_t *wear, size_t count, uint32_t *how);
uint32_t wisp_rust_store_format(uint32_t *wear, size_t count);

/* Rust: read an app by its slot or by its name. */
uint32_t wisp_rust_store_get(uint32_t slot, struct wisp_store_app *app);
uint32_t wisp_rust_store_find(const char *name, struct wisp_store_app *app);

/*
 * Rust: announce, write, read and abort an upload. With `replace`, the upload that is going on is
 * given up if the announcement is not refused.
 */
uint32_t wisp_rust_store_begin(const struct wisp_store_upload *upload, bool replace,
			       uint32_t *offset);
uint32_t wisp_rust_store_write(uint32_t offset, const uint8_t *data, size_t length);
uint32_t wisp_rust_store_progress(struct wisp_store_upload *upload);
uint32_t wisp_rust_store_accept(const struct wisp_store_trust *trust, uint32_t *slot);
uint32_t wisp_rust_store_abort(void);

/* Rust: completes an upload that was announced without its hash, and checks it as accept does. */
uint32_t wisp_rust_store_identify(const struct wisp_store_trust *trust);

/*
 * Rust: confirms the candidate of an app, and retires the keys that it lists if a root key signed
 * it.
 */
uint32_t wisp_rust_store_confirm(uint32_t slot, const struct wisp_store_trust *trust);

/* Maximum number of retired keys, which is that of the app keys of a firmware. */
#define WISP_STORE_RETIRED_MAX 8

/* Rust: reads the ids of retired keys, 8 bytes each, at most WISP_STORE_RETIRED_MAX. */
uint32_t wisp_rust_store_retired(uint8_t *ids, size_t *count);

/*
 * Rust: checks the hash of an image, and its signature if required. Holds the image for the
 * caller, who releases it. Returns whether it was written anew because one of its bits had changed.
 */
uint32_t wisp_rust_store_open(uint32_t slot, bool candidate, const struct wisp_store_trust *trust,
			      const uint8_t **image, uint32_t *length, bool *repaired);

enum wisp_store_change {
	WISP_STORE_ROLL_BACK,
	WISP_STORE_UNINSTALL,
	WISP_STORE_ENABLE,
	WISP_STORE_DISABLE,
	WISP_STORE_MANUAL,
	WISP_STORE_AUTOMATIC,
	/* `value` is the number of starts of the candidate. */
	WISP_STORE_ATTEMPT,
	/* `value` is the number of crashes. */
	WISP_STORE_CRASHED,
};

/* Rust: changes an app's state. */
uint32_t wisp_rust_store_change(uint32_t slot, uint32_t change, uint32_t *value);

uint32_t wisp_rust_store_stat(struct wisp_store_stat *stat);

/* Rust: reads the announcement of an image in memory. Callable from any thread. */
uint32_t wisp_rust_store_describe(const uint8_t *image, size_t size,
				  struct wisp_store_upload *upload);

/*
 * Rust: the same for an image of which only the first `size` bytes are in memory, with the manifest
 * among them. Length and hash of the image are those that `upload` has. A length of 0 is replaced
 * by that of an image which is signed and has no attached code. Callable from any thread.
 */
uint32_t wisp_rust_store_head(const uint8_t *head, size_t size, struct wisp_store_upload *upload);

/*
 * Rust: check that the firmware and the app's node have the announced import modules (with spaces
 * between them), or the imports of an image in memory. Log what is missing. Callable from any
 * thread.
 */
uint32_t wisp_rust_store_needs(const struct wisp_app *app, const uint8_t *names, size_t length);
uint32_t wisp_rust_store_image_needs(const struct wisp_app *app, const uint8_t *image, size_t size);

/*
 * Rust: checks that the firmware can run native code for one of these targets, and logs it if not.
 * Callable from any thread.
 */
uint32_t wisp_rust_store_targets(const struct wisp_app *app, const uint8_t *targets, size_t length);

#define WISP_REQUEST_NONCE_SIZE 16

/* Challenge that the next signed management request has to answer. */
struct wisp_request_challenge {
	uint8_t nonce[WISP_REQUEST_NONCE_SIZE];
	uint32_t next;
};

/*
 * Rust: accepts a request if one of the keys, 32 bytes each, signed it for this challenge. Then
 * increments the number of the challenge.
 */
uint32_t wisp_rust_request_accept(struct wisp_request_challenge *challenge, const uint8_t *keys,
				  size_t key_count, uint8_t command, const uint8_t *payload,
				  size_t length);

/*
 * Reads the lowest epoch that an image may have, and raises it unless it is higher. Both return
 * false if the settings fail. With CONFIG_WISP_EPOCH only.
 */
bool wisp_shim_epoch(uint32_t *least);
bool wisp_shim_raise_epoch(uint32_t epoch);

/* Returns false if the import module needs a grant and the app's node has none for it. */
bool wisp_shim_grants(const struct wisp_app *app, const uint8_t *module, size_t length);

/*
 * Rust: makes a token of 8 bytes for the owner of an upload from the client's random bytes and
 * from varying data. Callable from any thread.
 */
void wisp_rust_store_token(const uint8_t *claim, size_t length, const uint32_t mix[4],
			   uint8_t *token);

/* Rust: describes an error in words, which are not NUL-terminated. */
const char *wisp_rust_store_words(uint32_t error, size_t *length);

#endif /* WISP_STORAGE_SHIM_H_ */
