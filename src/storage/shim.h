/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The border between the C and the Rust side of the app storage; included by host/shim.h,
 * from which the bindings are made. All wisp_rust_store_* functions are called by one
 * thread, that of src/storage.c.
 */

#ifndef WISP_STORAGE_SHIM_H_
#define WISP_STORAGE_SHIM_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <wisp/storage.h>

struct wisp_app;

/* What the partition is. */
struct wisp_flash_geometry {
	uint32_t size;
	uint32_t erase_block;
	uint32_t write_block;
	uint8_t erased;
};

/* The partition: 0, or anything else for an error. Offsets are those in the partition. */
void wisp_shim_flash_geometry(struct wisp_flash_geometry *geometry);
int32_t wisp_shim_flash_read(uint32_t offset, uint8_t *data, size_t length);
int32_t wisp_shim_flash_write(uint32_t offset, const uint8_t *data, size_t length);
int32_t wisp_shim_flash_erase(uint32_t offset, size_t length);

/* How an image is checked before it is accepted or started. */
struct wisp_store_trust {
	/* Public keys, 32 bytes each: those of apps, and root keys. */
	const uint8_t *keys;
	size_t key_count;
	const uint8_t *roots;
	size_t root_count;
	/* A start checks the signature, beside the hash. */
	bool check_signature;
	/* Images without a signature are accepted. */
	bool allow_unsigned;
	/* Where the partition is mapped. */
	const uint8_t *map;
	/* The app that it is for. */
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

/* Rust: an app by its slot, or by its name. */
uint32_t wisp_rust_store_get(uint32_t slot, struct wisp_store_app *app);
uint32_t wisp_rust_store_find(const char *name, struct wisp_store_app *app);

/* Rust: uploads. */
uint32_t wisp_rust_store_begin(const struct wisp_store_upload *upload, uint32_t *offset);
uint32_t wisp_rust_store_write(uint32_t offset, const uint8_t *data, size_t length);
uint32_t wisp_rust_store_progress(struct wisp_store_upload *upload);
uint32_t wisp_rust_store_accept(const struct wisp_store_trust *trust, uint32_t *slot);
uint32_t wisp_rust_store_abort(void);

/*
 * Rust: keeps the candidate of an app, and retires the keys that it lists if a root key signed it.
 */
uint32_t wisp_rust_store_confirm(uint32_t slot, const struct wisp_store_trust *trust);

/* Most keys that are retired: as many app keys as a firmware may have. */
#define WISP_STORE_RETIRED_MAX 8

/* Rust: ids of retired keys, 8 bytes each, for as many as there may be. */
uint32_t wisp_rust_store_retired(uint8_t *ids, size_t *count);

/*
 * Rust: checks an image's hash, and its signature if that is asked for; tells where it lies in the
 * partition, and whether it lies there now because a bit of it had changed.
 */
uint32_t wisp_rust_store_open(uint32_t slot, bool candidate, const struct wisp_store_trust *trust,
			      uint32_t *offset, uint32_t *length, bool *repaired);

enum wisp_store_change {
	WISP_STORE_ROLL_BACK,
	WISP_STORE_UNINSTALL,
	WISP_STORE_ENABLE,
	WISP_STORE_DISABLE,
	WISP_STORE_MANUAL,
	WISP_STORE_AUTOMATIC,
	/* `value`: starts of the candidate so far. */
	WISP_STORE_ATTEMPT,
	/* `value`: crashes so far. */
	WISP_STORE_CRASHED,
};

/* Rust: changes an app's state. */
uint32_t wisp_rust_store_change(uint32_t slot, uint32_t change, uint32_t *value);

uint32_t wisp_rust_store_stat(struct wisp_store_stat *stat);

/* Rust: what to announce of an image in memory. From any thread. */
uint32_t wisp_rust_store_describe(const uint8_t *image, size_t size,
				  struct wisp_store_upload *upload);

/*
 * Rust: whether the firmware and the app's node have what was announced of an image, import
 * modules with spaces between them, or what an image in memory imports. Tells in the log what
 * is missing. From any thread.
 */
uint32_t wisp_rust_store_needs(const struct wisp_app *app, const uint8_t *names, size_t length);
uint32_t wisp_rust_store_image_needs(const struct wisp_app *app, const uint8_t *image, size_t size);

/*
 * Rust: whether the firmware runs native code for one of these machines. Tells in the log if not.
 * From any thread.
 */
uint32_t wisp_rust_store_targets(const struct wisp_app *app, const uint8_t *targets, size_t length);

/* False if the import module is one of grants, and the app has none of them. */
bool wisp_shim_grants(const struct wisp_app *app, const uint8_t *module, size_t length);

/* Rust: 8 bytes for the owner of an upload, made of what it chose and of what changes. From any
 * thread. */
void wisp_rust_store_token(const uint8_t *claim, size_t length, const uint32_t mix[2],
			   uint8_t *token);

/* Rust: an error in words, which are not NUL-terminated. */
const char *wisp_rust_store_words(uint32_t error, size_t *length);

#endif /* WISP_STORAGE_SHIM_H_ */
