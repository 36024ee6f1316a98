/* SPDX-License-Identifier: Apache-2.0 */

/* Uploads over SMP, and how a client shows that an upload is its own. */

#include <string.h>

#include <zephyr/kernel.h>
#include <zephyr/mgmt/mcumgr/mgmt/mgmt.h>
#include <zephyr/mgmt/mcumgr/smp/smp.h>

#include <mgmt/mcumgr/util/zcbor_bulk.h>
#include <zcbor_common.h>
#include <zcbor_decode.h>
#include <zcbor_encode.h>

#include <wisp/storage.h>

#include "border/shim.h"
#include "manage/mgmt.h"
#include "storage/storage.h"

#define TOKEN_SIZE 8
#define CLAIM_MIN  8
#define CLAIM_MAX  16

/*
 * The client that announced an upload last. Pieces and an abort must have its token. Its claim is a
 * secret of the client, with which it can announce the same image again after it lost the answer
 * or was restarted. Whether the upload is still the client's is known to src/storage/uploads.c,
 * by the number.
 */
static struct {
	uint32_t number;
	uint8_t token[TOKEN_SIZE];
	uint8_t claim[CLAIM_MAX];
	size_t claim_length;
} client;

/* Takes the same time for any value, so that nobody can guess a token byte by byte. */
static bool same(const struct zcbor_string *given, const uint8_t *known, size_t length)
{
	uint8_t differences = 0;

	if (given->len != length || length == 0) {
		return false;
	}
	for (size_t i = 0; i < length; i++) {
		differences |= given->value[i] ^ known[i];
	}
	return differences == 0;
}

/* Returns the number of the client that knows the token or the claim. */
static uint32_t number_of(const struct zcbor_string *token, const struct zcbor_string *claim)
{
	if (client.number == WISP_UPLOAD_NOBODY ||
	    !(same(token, client.token, sizeof(client.token)) ||
	      same(claim, client.claim, client.claim_length))) {
		return WISP_UPLOAD_NOBODY;
	}
	return client.number;
}

/* Makes a token for the client that announced the upload with this number. */
static void remember(uint32_t number, const struct zcbor_string *claim)
{
	/* Time, and random bytes where the firmware has them. */
	uint32_t mix[4] = {k_cycle_get_32(), (uint32_t)k_uptime_get()};

	(void)wisp_shim_entropy((uint8_t *)&mix[2], 2 * sizeof(mix[0]));
	/* Others cannot guess the token, because it depends on random bytes of the client as well.
	 */
	wisp_rust_store_token(claim->value, claim->len, mix, client.token);
	client.number = number;
	client.claim_length = 0;
	if (claim->len >= CLAIM_MIN && claim->len <= sizeof(client.claim)) {
		memcpy(client.claim, claim->value, claim->len);
		client.claim_length = claim->len;
	}
}

/* Announces an upload, or continues it. Fills in the number of its owner. */
static int begin(struct wisp_store_upload *upload, const struct zcbor_string *claim,
		 uint32_t *number)
{
	int ret;

	*number = number_of(&(struct zcbor_string){0}, claim);
	ret = wisp_storage_begin(upload, number);
	if (ret == 0 && *number != client.number) {
		remember(*number, claim);
	}
	return ret;
}

int wisp_mgmt_abort(struct smp_streamer *ctxt)
{
	struct zcbor_string token = {0};
	struct zcbor_string claim = {0};
	size_t decoded = 0;
	int ret;
	struct zcbor_map_decode_key_val keys[] = {
		ZCBOR_MAP_DECODE_KEY_DECODER("tok", zcbor_bstr_decode, &token),
		ZCBOR_MAP_DECODE_KEY_DECODER("own", zcbor_bstr_decode, &claim),
	};

	if (zcbor_map_decode_bulk(ctxt->reader->zs, keys, ARRAY_SIZE(keys), &decoded) != 0) {
		return MGMT_ERR_EINVAL;
	}
	ret = wisp_mgmt_signed(ctxt, CMD_ABORT);
	if (ret == 0) {
		ret = wisp_storage_abort(number_of(&token, &claim));
	}
	return ret != 0 ? wisp_mgmt_fail(ctxt, ret) : MGMT_ERR_EOK;
}

/* Encodes the answer to an announcement or to a piece. */
static bool put_progress(zcbor_state_t *zse, uint32_t offset, bool announced, bool done)
{
	bool ok = zcbor_tstr_put_lit(zse, "off") && zcbor_uint32_put(zse, offset);

	if (announced && !done) {
		ok = ok && zcbor_tstr_put_lit(zse, "tok") &&
		     zcbor_bstr_encode_ptr(zse, (const char *)client.token, sizeof(client.token));
	}
	if (done) {
		ok = ok && zcbor_tstr_put_lit(zse, "done") && zcbor_bool_put(zse, true);
	}
	return ok;
}

/*
 * {"off": 0, "name", "len", "sha", "ver", "rb", "down", "mem", "frame", "if", "tgt", "own"}, then
 * {"off", "data", "tok"}. The answer is {"off": where to go on}, for an announcement with
 * {"tok": the token}, with {"done": true} when the update is installed.
 */
int wisp_mgmt_upload(struct smp_streamer *ctxt)
{
	struct wisp_store_upload upload = {0};
	struct zcbor_string name = {0};
	struct zcbor_string hash = {0};
	struct zcbor_string data = {0};
	struct zcbor_string interfaces = {0};
	struct zcbor_string targets = {0};
	struct zcbor_string token = {0};
	struct zcbor_string claim = {0};
	uint32_t offset = UINT32_MAX;
	uint32_t number = WISP_UPLOAD_NOBODY;
	size_t decoded = 0;
	int ret;
	struct zcbor_map_decode_key_val keys[] = {
		ZCBOR_MAP_DECODE_KEY_DECODER("off", zcbor_uint32_decode, &offset),
		ZCBOR_MAP_DECODE_KEY_DECODER("data", zcbor_bstr_decode, &data),
		ZCBOR_MAP_DECODE_KEY_DECODER("name", zcbor_tstr_decode, &name),
		ZCBOR_MAP_DECODE_KEY_DECODER("len", zcbor_uint32_decode, &upload.image.length),
		ZCBOR_MAP_DECODE_KEY_DECODER("sha", zcbor_bstr_decode, &hash),
		ZCBOR_MAP_DECODE_KEY_DECODER("ver", zcbor_uint32_decode, &upload.image.version),
		ZCBOR_MAP_DECODE_KEY_DECODER("rb", zcbor_uint32_decode, &upload.image.rollback),
		ZCBOR_MAP_DECODE_KEY_DECODER("down", zcbor_bool_decode, &upload.downgrade),
		ZCBOR_MAP_DECODE_KEY_DECODER("mem", zcbor_uint32_decode, &upload.memory),
		ZCBOR_MAP_DECODE_KEY_DECODER("frame", zcbor_uint32_decode, &upload.frame),
		ZCBOR_MAP_DECODE_KEY_DECODER("if", zcbor_tstr_decode, &interfaces),
		ZCBOR_MAP_DECODE_KEY_DECODER("tgt", zcbor_bstr_decode, &targets),
		ZCBOR_MAP_DECODE_KEY_DECODER("tok", zcbor_bstr_decode, &token),
		ZCBOR_MAP_DECODE_KEY_DECODER("own", zcbor_bstr_decode, &claim),
	};

	if (zcbor_map_decode_bulk(ctxt->reader->zs, keys, ARRAY_SIZE(keys), &decoded) != 0 ||
	    offset == UINT32_MAX) {
		return MGMT_ERR_EINVAL;
	}
	if (name.len != 0) {
		if (offset != 0 || name.len >= sizeof(upload.name) ||
		    hash.len != sizeof(upload.image.hash)) {
			return MGMT_ERR_EINVAL;
		}
		memcpy(upload.name, name.value, name.len);
		memcpy(upload.image.hash, hash.value, hash.len);
		upload.interfaces = (const char *)interfaces.value;
		upload.interfaces_length = interfaces.len;
		upload.targets = targets.value;
		upload.targets_length = targets.len;
		/* Later pieces need no signature, because the announcement has the hash. */
		ret = wisp_mgmt_signed(ctxt, CMD_UPLOAD);
		if (ret == 0) {
			ret = begin(&upload, &claim, &number);
		}
		if (ret != 0) {
			return wisp_mgmt_fail(ctxt, ret);
		}
	} else {
		number = number_of(&token, &(struct zcbor_string){0});
		if (number == WISP_UPLOAD_NOBODY) {
			ret = wisp_store_progress(&upload);
			return wisp_mgmt_fail(ctxt, ret != 0 ? ret : WISP_STORE_NOT_OWNER);
		}
	}
	if (data.len != 0) {
		ret = wisp_storage_write(number, offset, data.value, data.len);
		/* A piece may arrive twice. The answer has the offset at which to continue. */
		if (ret != 0 && ret != WISP_STORE_OFFSET) {
			return wisp_mgmt_fail(ctxt, ret);
		}
	}
	ret = wisp_store_progress(&upload);
	if (ret != 0) {
		return wisp_mgmt_fail(ctxt, ret);
	}
	if (upload.offset == upload.image.length) {
		ret = wisp_storage_finish(number);
		if (ret != 0) {
			return wisp_mgmt_fail(ctxt, ret);
		}
		return wisp_mgmt_finish(put_progress(ctxt->writer->zs, upload.offset, false, true));
	}
	return wisp_mgmt_finish(
		put_progress(ctxt->writer->zs, upload.offset, name.len != 0, false));
}
