/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Requests of a debugger over MCUmgr: {"name", "do": bytes} with the answer {"out": bytes}. The
 * bytes are those of src/border/debug.h.
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

#include "app/debug.h"
#include "border/shim.h"
#include "manage/mgmt.h"

BUILD_ASSERT(IS_ENABLED(CONFIG_WISP_DEBUG_ALLOW) || IS_ENABLED(CONFIG_WISP_MGMT_AUTHENTICATED) ||
		     IS_ENABLED(CONFIG_WISP_MGMT_SIGNED),
	     "a debugger needs clients that are authenticated, or CONFIG_WISP_DEBUG_ALLOW");

int wisp_mgmt_debug(struct smp_streamer *ctxt)
{
	/* Requests come one at a time, and the stack of their thread is small. */
	static uint8_t answer[WISP_DEBUG_ANSWER];
	int ret = wisp_mgmt_signed(ctxt, CMD_DEBUG);
	zcbor_state_t *zse = ctxt->writer->zs;
	char name[WISP_STORE_NAME_SIZE] = "";
	struct zcbor_string request = {0};
	const struct wisp_app *app;
	size_t decoded = 0;
	size_t size;
	struct zcbor_map_decode_key_val keys[] = {
		ZCBOR_MAP_DECODE_KEY_DECODER("name", wisp_mgmt_decode_name, name),
		ZCBOR_MAP_DECODE_KEY_DECODER("do", zcbor_bstr_decode, &request),
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
	size = wisp_debug_request(app, request.value, request.len, answer);
	if (size == 1 && answer[0] == WISP_DEBUG_OK && request.value[0] == WISP_DEBUG_KILL) {
		/* An installed app does not start again, as after any other stop. */
		(void)wisp_store_stop(name);
	}
	return wisp_mgmt_finish(zcbor_tstr_put_lit(zse, "out") &&
				zcbor_bstr_encode_ptr(zse, (const char *)answer, size));
}
