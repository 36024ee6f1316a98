/* SPDX-License-Identifier: Apache-2.0 */

/*
 * What is kept of an app over MCUmgr: {"name", "what", "off"} with the answer {"len", "gen",
 * "data"}. doc/lifecycle.md describes both.
 */

#include <zephyr/kernel.h>
#include <zephyr/mgmt/mcumgr/mgmt/mgmt.h>
#include <zephyr/mgmt/mcumgr/smp/smp.h>

#include <mgmt/mcumgr/util/zcbor_bulk.h>
#include <zcbor_common.h>
#include <zcbor_decode.h>
#include <zcbor_encode.h>

#include <wisp/storage.h>
#include <wisp/wisp.h>

#include "app/kept.h"
#include "manage/mgmt.h"

BUILD_ASSERT(IS_ENABLED(CONFIG_WISP_DEBUG_ALLOW) || IS_ENABLED(CONFIG_WISP_MGMT_AUTHENTICATED) ||
		     IS_ENABLED(CONFIG_WISP_MGMT_SIGNED),
	     "who reads the data of apps needs to be authenticated, or CONFIG_WISP_DEBUG_ALLOW");

/* Bytes of an answer: smaller buffers of MCUmgr than the default are not expected. */
#define PIECE 160

enum what {
	WHAT_CORE = 0,
	WHAT_RECORD = 1,
	WHAT_PROFILE = 2,
};

int wisp_mgmt_kept(struct smp_streamer *ctxt)
{
	/* Requests come one at a time, and the stack of their thread is small. */
	static uint8_t piece[PIECE];
	int ret = wisp_mgmt_signed(ctxt, CMD_KEPT);
	zcbor_state_t *zse = ctxt->writer->zs;
	char name[WISP_STORE_NAME_SIZE] = "";
	const struct wisp_app *app;
	struct wisp_kept kept = {0};
	uint32_t what = WHAT_CORE;
	uint32_t offset = 0;
	size_t decoded = 0;
	struct zcbor_map_decode_key_val keys[] = {
		ZCBOR_MAP_DECODE_KEY_DECODER("name", wisp_mgmt_decode_name, name),
		ZCBOR_MAP_DECODE_KEY_DECODER("what", zcbor_uint32_decode, &what),
		ZCBOR_MAP_DECODE_KEY_DECODER("off", zcbor_uint32_decode, &offset),
	};

	if (ret != 0) {
		return wisp_mgmt_fail(ctxt, ret);
	}
	if (zcbor_map_decode_bulk(ctxt->reader->zs, keys, ARRAY_SIZE(keys), &decoded) != 0 ||
	    name[0] == '\0') {
		return MGMT_ERR_EINVAL;
	}
	app = wisp_app_find(name);
	if (app == NULL) {
		return wisp_mgmt_fail(ctxt, WISP_STORE_NO_APP);
	}
	switch (what) {
#ifdef CONFIG_WISP_CORE_DUMP
	case WHAT_CORE:
		wisp_kept_core(app, offset, piece, sizeof(piece), &kept);
		break;
#endif
#ifdef CONFIG_WISP_RECORD
	case WHAT_RECORD:
		wisp_kept_record(app, offset, piece, sizeof(piece), &kept);
		break;
#endif
#ifdef CONFIG_WISP_PROFILE
	case WHAT_PROFILE:
		wisp_kept_profile(app, offset, piece, sizeof(piece), &kept);
		break;
#endif
	default:
		return MGMT_ERR_ENOTSUP;
	}
	return wisp_mgmt_finish(
		zcbor_tstr_put_lit(zse, "len") && zcbor_uint32_put(zse, kept.length) &&
		zcbor_tstr_put_lit(zse, "gen") && zcbor_uint32_put(zse, kept.generation) &&
		zcbor_tstr_put_lit(zse, "data") &&
		zcbor_bstr_encode_ptr(zse, (const char *)piece, kept.count));
}
