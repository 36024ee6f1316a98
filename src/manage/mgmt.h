/* SPDX-License-Identifier: Apache-2.0 */

/* Functions that the files of the MCUmgr group share. */

#ifndef WISP_MANAGE_MGMT_H_
#define WISP_MANAGE_MGMT_H_

#include <stdbool.h>
#include <stdint.h>

#include <zephyr/mgmt/mcumgr/mgmt/mgmt.h>
#include <zephyr/mgmt/mcumgr/smp/smp.h>

/* Command ids. The numbers never change. */
enum {
	CMD_LIST = 0,
	CMD_UPLOAD = 1,
	CMD_INFO = 2,
	CMD_START = 3,
	CMD_STOP = 4,
	CMD_CONFIRM = 5,
	CMD_ROLLBACK = 6,
	CMD_UNINSTALL = 7,
	CMD_STAT = 8,
	CMD_ABORT = 9,
	CMD_USAGE = 10,
	CMD_FAILURES = 11,
	CMD_FORMAT = 12,
	CMD_CHALLENGE = 13,
	CMD_ARGS = 14,
	CMD_DEBUG = 15,
	CMD_KEPT = 16,
	CMD_PROFILE = 17,
	CMD_TIMES = 18,
};

/* Returns the result of a handler whose answer fitted into the buffer, or did not. */
static inline int wisp_mgmt_finish(bool ok)
{
	return ok ? MGMT_ERR_EOK : MGMT_ERR_EMSGSIZE;
}

/* Answers with an enum wisp_store_error, and returns the result of the handler. */
static inline int wisp_mgmt_fail(struct smp_streamer *ctxt, int error)
{
	return wisp_mgmt_finish(smp_add_cmd_err(ctxt->writer->zs, CONFIG_WISP_MGMT_GROUP, error));
}

#ifdef CONFIG_WISP_MGMT_SIGNED
/*
 * Accepts a request if a management key signed it. Returns 0 or an enum wisp_store_error. Refuses
 * the same request afterwards, so a handler calls this once, before it changes anything.
 */
int wisp_mgmt_signed(struct smp_streamer *ctxt, uint8_t command);
#else
static inline int wisp_mgmt_signed(struct smp_streamer *ctxt, uint8_t command)
{
	ARG_UNUSED(ctxt);
	ARG_UNUSED(command);
	return 0;
}
#endif

/*
 * Decodes an app's name into WISP_STORE_NAME_SIZE bytes, which an absent name leaves as they are. A
 * name that does not fit makes the request invalid.
 */
bool wisp_mgmt_decode_name(zcbor_state_t *zsd, char *name);

/* Reads the app's name from the request, into WISP_STORE_NAME_SIZE bytes. */
int wisp_mgmt_name(struct smp_streamer *ctxt, char *name);

/*
 * Finds the app that a request names, which has nothing else in it. Returns NULL if there is none:
 * the handler then returns `ret`.
 */
const struct wisp_app *wisp_mgmt_app(struct smp_streamer *ctxt, int *ret);

/* Handlers. */
int wisp_mgmt_challenge(struct smp_streamer *ctxt);
int wisp_mgmt_upload(struct smp_streamer *ctxt);
int wisp_mgmt_abort(struct smp_streamer *ctxt);
int wisp_mgmt_args(struct smp_streamer *ctxt);
int wisp_mgmt_set_args(struct smp_streamer *ctxt);
int wisp_mgmt_debug(struct smp_streamer *ctxt);
int wisp_mgmt_kept(struct smp_streamer *ctxt);
int wisp_mgmt_profile(struct smp_streamer *ctxt);

#endif /* WISP_MANAGE_MGMT_H_ */
