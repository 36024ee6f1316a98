/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Begins the profile of an app over MCUmgr: {"name", "ms"}. The answer of an app that does not run
 * is MGMT_ERR_EBADSTATE. manage/kept.c sends what was found.
 */

#include <zephyr/kernel.h>
#include <zephyr/mgmt/mcumgr/mgmt/mgmt.h>
#include <zephyr/mgmt/mcumgr/smp/smp.h>

#include <mgmt/mcumgr/util/zcbor_bulk.h>
#include <zcbor_common.h>
#include <zcbor_decode.h>

#include <wisp/storage.h>
#include <wisp/wisp.h>

#include "app/profile.h"
#include "manage/mgmt.h"

int wisp_mgmt_profile(struct smp_streamer *ctxt)
{
	int ret = wisp_mgmt_signed(ctxt, CMD_PROFILE);
	char name[WISP_STORE_NAME_SIZE] = "";
	const struct wisp_app *app;
	uint32_t ms = 0;
	size_t decoded = 0;
	struct zcbor_map_decode_key_val keys[] = {
		ZCBOR_MAP_DECODE_KEY_DECODER("name", wisp_mgmt_decode_name, name),
		ZCBOR_MAP_DECODE_KEY_DECODER("ms", zcbor_uint32_decode, &ms),
	};

	if (ret != 0) {
		return wisp_mgmt_fail(ctxt, ret);
	}
	if (zcbor_map_decode_bulk(ctxt->reader->zs, keys, ARRAY_SIZE(keys), &decoded) != 0 ||
	    name[0] == '\0' || ms == 0) {
		return MGMT_ERR_EINVAL;
	}
	app = wisp_app_find(name);
	if (app == NULL) {
		return wisp_mgmt_fail(ctxt, WISP_STORE_NO_APP);
	}
	return wisp_profile_begin(app, ms) ? MGMT_ERR_EOK : MGMT_ERR_EBADSTATE;
}
