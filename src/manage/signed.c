/* SPDX-License-Identifier: Apache-2.0 */

/* Signed SMP requests. The checks are those of rust/trust/src/request.rs. */

#include <zephyr/mgmt/mcumgr/mgmt/mgmt.h>
#include <zephyr/mgmt/mcumgr/smp/smp.h>
#include <zephyr/net_buf.h>

#include <zcbor_common.h>
#include <zcbor_encode.h>

#include "manage/mgmt.h"
#include "storage/storage.h"

int wisp_mgmt_signed(struct smp_streamer *ctxt, uint8_t command)
{
	/* The whole payload, whatever was decoded of it. */
	const struct net_buf *payload = ctxt->reader->nb;

	return wisp_storage_accept(command, payload->data, payload->len);
}

int wisp_mgmt_challenge(struct smp_streamer *ctxt)
{
	zcbor_state_t *zse = ctxt->writer->zs;
	struct wisp_request_challenge challenge;
	int ret = wisp_storage_challenge(&challenge);

	if (ret != 0) {
		return wisp_mgmt_fail(ctxt, ret);
	}
	return wisp_mgmt_finish(zcbor_tstr_put_lit(zse, "nonce") &&
				zcbor_bstr_encode_ptr(zse, (const char *)challenge.nonce,
						      sizeof(challenge.nonce)) &&
				zcbor_tstr_put_lit(zse, "next") &&
				zcbor_uint32_put(zse, challenge.next));
}
