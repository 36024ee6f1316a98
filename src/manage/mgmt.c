/* SPDX-License-Identifier: Apache-2.0 */

/* The MCUmgr group that doc/lifecycle.md describes. */

#include <string.h>

#include <zephyr/kernel.h>
#include <zephyr/logging/log.h>
#include <zephyr/mgmt/mcumgr/mgmt/callbacks.h>
#include <zephyr/mgmt/mcumgr/mgmt/handlers.h>
#include <zephyr/mgmt/mcumgr/mgmt/mgmt.h>
#include <zephyr/mgmt/mcumgr/smp/smp.h>

#include <mgmt/mcumgr/util/zcbor_bulk.h>
#include <zcbor_common.h>
#include <zcbor_decode.h>
#include <zcbor_encode.h>

#include <wisp/storage.h>
#include <wisp/wisp.h>

#include "border/shim.h"
#include "manage/mgmt.h"
#include "storage/describe.h"

LOG_MODULE_DECLARE(wisp, CONFIG_WISP_LOG_LEVEL);

static bool put_image(zcbor_state_t *zse, const char *key, const struct wisp_store_image *image)
{
	if (image->length == 0) {
		return true;
	}
	return zcbor_tstr_put_term(zse, key, 16) && zcbor_map_start_encode(zse, 5) &&
	       zcbor_tstr_put_lit(zse, "len") && zcbor_uint32_put(zse, image->length) &&
	       zcbor_tstr_put_lit(zse, "ver") && zcbor_uint32_put(zse, image->version) &&
	       zcbor_tstr_put_lit(zse, "rb") && zcbor_uint32_put(zse, image->rollback) &&
	       /* enough to distinguish images */
	       zcbor_tstr_put_lit(zse, "sha") && zcbor_bstr_encode_ptr(zse, image->hash, 8) &&
	       zcbor_map_end_encode(zse, 5);
}

static bool put_app(zcbor_state_t *zse, const struct wisp_store_app *stored)
{
	char text[WISP_DESCRIPTION_SIZE];

	wisp_describe(stored, text, sizeof(text));
	return zcbor_tstr_put_lit(zse, "name") &&
	       zcbor_tstr_put_term(zse, stored->name, sizeof(stored->name)) &&
	       zcbor_tstr_put_lit(zse, "state") && zcbor_tstr_put_term(zse, text, sizeof(text)) &&
	       zcbor_tstr_put_lit(zse, "disabled") && zcbor_bool_put(zse, stored->disabled) &&
	       zcbor_tstr_put_lit(zse, "starts") && zcbor_uint32_put(zse, stored->attempts) &&
	       zcbor_tstr_put_lit(zse, "crashes") && zcbor_uint32_put(zse, stored->crashes) &&
	       put_image(zse, "running", &stored->running) &&
	       put_image(zse, "candidate", &stored->candidate);
}

/*
 * Sends one app per frame, so that small buffers suffice. {"slot": n} asks for the first app from
 * slot n on.
 */
static int cmd_list(struct smp_streamer *ctxt)
{
	zcbor_state_t *zse = ctxt->writer->zs;
	struct wisp_store_app stored;
	uint32_t slot = 0;
	size_t decoded = 0;
	struct zcbor_map_decode_key_val keys[] = {
		ZCBOR_MAP_DECODE_KEY_DECODER("slot", zcbor_uint32_decode, &slot),
	};

	if (zcbor_map_decode_bulk(ctxt->reader->zs, keys, ARRAY_SIZE(keys), &decoded) != 0) {
		return MGMT_ERR_EINVAL;
	}
	for (; slot < WISP_STORE_SLOTS; slot++) {
		int ret = wisp_store_get(slot, &stored);

		if (ret == WISP_STORE_NOT_FOUND ||
		    (ret == 0 && stored.running.length == 0 && stored.candidate.length == 0)) {
			continue;
		}
		if (ret != 0) {
			return wisp_mgmt_fail(ctxt, ret);
		}
		return wisp_mgmt_finish(zcbor_tstr_put_lit(zse, "next") &&
					zcbor_uint32_put(zse, slot + 1) && put_app(zse, &stored));
	}
	return MGMT_ERR_EOK;
}

bool wisp_mgmt_decode_name(zcbor_state_t *zsd, char *name)
{
	struct zcbor_string text;

	if (!zcbor_tstr_decode(zsd, &text) || text.len >= WISP_STORE_NAME_SIZE) {
		return false;
	}
	memcpy(name, text.value, text.len);
	name[text.len] = '\0';
	return true;
}

/* Reads the app's name from the request. */
int wisp_mgmt_name(struct smp_streamer *ctxt, char *name)
{
	size_t decoded = 0;
	struct zcbor_map_decode_key_val keys[] = {
		ZCBOR_MAP_DECODE_KEY_DECODER("name", wisp_mgmt_decode_name, name),
	};

	name[0] = '\0';
	if (zcbor_map_decode_bulk(ctxt->reader->zs, keys, ARRAY_SIZE(keys), &decoded) != 0 ||
	    name[0] == '\0') {
		return MGMT_ERR_EINVAL;
	}
	return 0;
}

const struct wisp_app *wisp_mgmt_app(struct smp_streamer *ctxt, int *ret)
{
	char name[WISP_STORE_NAME_SIZE];
	const struct wisp_app *app;

	*ret = wisp_mgmt_name(ctxt, name);
	if (*ret != 0) {
		return NULL;
	}
	app = wisp_app_find(name);
	if (app == NULL) {
		*ret = wisp_mgmt_fail(ctxt, WISP_STORE_NO_APP);
	}
	return app;
}

static int cmd_info(struct smp_streamer *ctxt)
{
	char name[WISP_STORE_NAME_SIZE];
	struct wisp_store_app stored;
	int ret = wisp_mgmt_name(ctxt, name);

	if (ret != 0) {
		return ret;
	}
	ret = wisp_store_find(name, &stored);
	return ret != 0 ? wisp_mgmt_fail(ctxt, ret)
			: wisp_mgmt_finish(put_app(ctxt->writer->zs, &stored));
}

static int simple(struct smp_streamer *ctxt, uint8_t command, int (*function)(const char *name))
{
	char name[WISP_STORE_NAME_SIZE];
	int ret = wisp_mgmt_signed(ctxt, command);

	if (ret != 0) {
		return wisp_mgmt_fail(ctxt, ret);
	}
	ret = wisp_mgmt_name(ctxt, name);
	if (ret != 0) {
		return ret;
	}
	ret = function(name);
	return ret != 0 ? wisp_mgmt_fail(ctxt, ret) : MGMT_ERR_EOK;
}

#define SIMPLE(_name, _command)                                                                    \
	static int cmd_##_name(struct smp_streamer *ctxt)                                          \
	{                                                                                          \
		return simple(ctxt, _command, wisp_store_##_name);                                 \
	}

SIMPLE(start, CMD_START)
SIMPLE(stop, CMD_STOP)
SIMPLE(confirm, CMD_CONFIRM)
SIMPLE(rollback, CMD_ROLLBACK)
SIMPLE(uninstall, CMD_UNINSTALL)

static int cmd_format(struct smp_streamer *ctxt)
{
	int ret = wisp_mgmt_signed(ctxt, CMD_FORMAT);

	if (ret == 0) {
		ret = wisp_store_format();
	}
	return ret != 0 ? wisp_mgmt_fail(ctxt, ret) : MGMT_ERR_EOK;
}

static int cmd_stat(struct smp_streamer *ctxt)
{
	zcbor_state_t *zse = ctxt->writer->zs;
	struct wisp_store_stat stat;
	int ret = wisp_store_stat(&stat);

	if (ret != 0) {
		return wisp_mgmt_fail(ctxt, ret);
	}
	return wisp_mgmt_finish(
		zcbor_tstr_put_lit(zse, "block") && zcbor_uint32_put(zse, stat.erase_block) &&
		zcbor_tstr_put_lit(zse, "blocks") && zcbor_uint32_put(zse, stat.blocks) &&
		zcbor_tstr_put_lit(zse, "free") && zcbor_uint32_put(zse, stat.free) &&
		zcbor_tstr_put_lit(zse, "largest") && zcbor_uint32_put(zse, stat.largest) &&
		zcbor_tstr_put_lit(zse, "wear") && zcbor_uint32_put(zse, stat.wear_most) &&
		zcbor_tstr_put_lit(zse, "journal_wear") &&
		zcbor_uint32_put(zse, stat.journal_wear) && zcbor_tstr_put_lit(zse, "retired") &&
		zcbor_uint32_put(zse, stat.retired_keys));
}

static bool put_number(zcbor_state_t *zse, const char *key, uint32_t value)
{
	return zcbor_tstr_put_term(zse, key, 16) && zcbor_uint32_put(zse, value);
}

/* Puts how many functions have translated code, in a firmware that translates. */
static bool put_translated(zcbor_state_t *zse, const struct wisp_app_usage *usage)
{
#ifdef CONFIG_WISP_TRANSLATE
	return put_number(zse, "functions", usage->functions) &&
	       put_number(zse, "translated", usage->translated);
#else
	ARG_UNUSED(zse);
	ARG_UNUSED(usage);
	return true;
#endif
}

static int cmd_usage(struct smp_streamer *ctxt)
{
	zcbor_state_t *zse = ctxt->writer->zs;
	struct wisp_app_usage usage;
	int ret;
	const struct wisp_app *app = wisp_mgmt_app(ctxt, &ret);

	if (app == NULL) {
		return ret;
	}
	wisp_app_usage(app, &usage);
	return wisp_mgmt_finish(put_number(zse, "runs", usage.runs) &&
				put_number(zse, "failures", usage.failures) &&
				put_number(zse, "stack", usage.stack) &&
				put_number(zse, "stack_size", usage.stack_size) &&
				put_number(zse, "arena", usage.arena) &&
				put_number(zse, "arena_size", usage.arena_size) &&
				put_number(zse, "memory", usage.memory) &&
				put_number(zse, "memory_size", usage.memory_size) &&
				zcbor_tstr_put_lit(zse, "fuel") &&
				zcbor_uint64_put(zse, usage.fuel) &&
				put_number(zse, "events", usage.events) &&
				put_number(zse, "events_size", usage.events_size) &&
				put_number(zse, "events_lost", usage.events_lost) &&
				put_number(zse, "messages_lost", usage.messages_lost) &&
				put_number(zse, "kv_written", usage.kv_written) &&
				put_number(zse, "kv_refused", usage.kv_refused) &&
				put_number(zse, "files_used", usage.files_used) &&
				put_number(zse, "files_refused", usage.files_refused) &&
				put_number(zse, "lines_dropped", usage.lines_dropped) &&
				put_translated(zse, &usage));
}

#ifdef CONFIG_WISP_TIMES
static int cmd_times(struct smp_streamer *ctxt)
{
	zcbor_state_t *zse = ctxt->writer->zs;
	struct wisp_app_times times;
	int ret;
	const struct wisp_app *app = wisp_mgmt_app(ctxt, &ret);

	if (app == NULL) {
		return ret;
	}
	wisp_app_times(app, &times);
	return wisp_mgmt_finish(
		zcbor_tstr_put_lit(zse, "run") && zcbor_uint64_put(zse, times.run_us) &&
		zcbor_tstr_put_lit(zse, "cpu") && zcbor_uint64_put(zse, times.cpu_us) &&
		zcbor_tstr_put_lit(zse, "wakeups") && zcbor_uint32_put(zse, times.wakeups) &&
		(!IS_ENABLED(CONFIG_WISP_HOST_TIME) ||
		 (zcbor_tstr_put_lit(zse, "host") && zcbor_uint64_put(zse, times.host_us))));
}
#endif

/* Sends one failure per frame. {"index": n} is 0 for the last one. */
static int cmd_failures(struct smp_streamer *ctxt)
{
	zcbor_state_t *zse = ctxt->writer->zs;
	struct wisp_failure failure;
	uint32_t index = 0;
	size_t decoded = 0;
	char text[WISP_DESCRIPTION_SIZE];
	struct zcbor_map_decode_key_val keys[] = {
		ZCBOR_MAP_DECODE_KEY_DECODER("index", zcbor_uint32_decode, &index),
	};

	if (zcbor_map_decode_bulk(ctxt->reader->zs, keys, ARRAY_SIZE(keys), &decoded) != 0) {
		return MGMT_ERR_EINVAL;
	}
	if (!put_number(zse, "total", wisp_failure_count())) {
		return MGMT_ERR_EMSGSIZE;
	}
	if (wisp_failure_get(index, &failure) != 0) {
		return MGMT_ERR_EOK;
	}
	wisp_describe_status(failure.app, &failure.status, "", text, sizeof(text));
	return wisp_mgmt_finish(
		put_number(zse, "next", index + 1) && zcbor_tstr_put_lit(zse, "name") &&
		zcbor_tstr_put_term(zse, wisp_app_name(failure.app), WISP_STORE_NAME_SIZE) &&
		zcbor_tstr_put_lit(zse, "uptime") && zcbor_int64_put(zse, failure.uptime_ms) &&
		zcbor_tstr_put_lit(zse, "what") && zcbor_tstr_put_term(zse, text, sizeof(text)));
}

#ifdef CONFIG_MCUMGR_SMP_SUPPORT_ORIGINAL_PROTOCOL
/* Error for clients that do not support errors of groups. */
static int translate(uint16_t error)
{
	switch (error) {
	case WISP_STORE_OK:
		return MGMT_ERR_EOK;
	case WISP_STORE_BUSY:
	case WISP_STORE_PENDING:
	case WISP_STORE_RUNNING:
	case WISP_STORE_NOT_OWNER:
		return MGMT_ERR_EBUSY;
	case WISP_STORE_NOT_FOUND:
	case WISP_STORE_NO_APP:
	case WISP_STORE_NO_CANDIDATE:
	case WISP_STORE_NO_UPLOAD:
		return MGMT_ERR_ENOENT;
	case WISP_STORE_NO_SPACE:
	case WISP_STORE_NO_SLOT:
	case WISP_STORE_ARGS_SIZE:
		return MGMT_ERR_ENOMEM;
	case WISP_STORE_NO_INTERFACE:
		return MGMT_ERR_ENOTSUP;
	case WISP_STORE_NOT_FOR_DEVICE:
	case WISP_STORE_EPOCH:
	case WISP_STORE_NOT_GRANTED:
	case WISP_STORE_ROLLBACK:
	case WISP_STORE_UNSIGNED:
	case WISP_STORE_UNKNOWN_KEY:
	case WISP_STORE_RETIRED_KEY:
	case WISP_STORE_SIGNATURE:
	case WISP_STORE_VERSION:
	case WISP_STORE_NOT_ROOT:
	case WISP_STORE_UNKNOWN_COMPILE_KEY:
	case WISP_STORE_NOT_SIGNED:
	case WISP_STORE_NOT_MANAGER:
	case WISP_STORE_REPLAYED:
		return MGMT_ERR_EACCESSDENIED;
	default:
		return MGMT_ERR_EUNKNOWN;
	}
}
#endif

static const struct mgmt_handler handlers[] = {
	[CMD_LIST] = {.mh_read = cmd_list},
	[CMD_UPLOAD] = {.mh_write = wisp_mgmt_upload},
	[CMD_INFO] = {.mh_read = cmd_info},
	[CMD_START] = {.mh_write = cmd_start},
	[CMD_STOP] = {.mh_write = cmd_stop},
	[CMD_CONFIRM] = {.mh_write = cmd_confirm},
	[CMD_ROLLBACK] = {.mh_write = cmd_rollback},
	[CMD_UNINSTALL] = {.mh_write = cmd_uninstall},
	[CMD_STAT] = {.mh_read = cmd_stat},
	[CMD_ABORT] = {.mh_write = wisp_mgmt_abort},
	[CMD_USAGE] = {.mh_read = cmd_usage},
	[CMD_FAILURES] = {.mh_read = cmd_failures},
	[CMD_FORMAT] = {.mh_write = cmd_format},
#ifdef CONFIG_WISP_MGMT_SIGNED
	[CMD_CHALLENGE] = {.mh_read = wisp_mgmt_challenge},
#endif
#if CONFIG_WISP_ARGS_SIZE > 0
	[CMD_ARGS] = {.mh_read = wisp_mgmt_args, .mh_write = wisp_mgmt_set_args},
#endif
#ifdef CONFIG_WISP_DEBUG
	[CMD_DEBUG] = {.mh_write = wisp_mgmt_debug},
#endif
#if defined(CONFIG_WISP_CORE_DUMP) || defined(CONFIG_WISP_RECORD) || defined(CONFIG_WISP_PROFILE)
	[CMD_KEPT] = {.mh_write = wisp_mgmt_kept},
#endif
#ifdef CONFIG_WISP_TIMES
	[CMD_TIMES] = {.mh_read = cmd_times},
#endif
#ifdef CONFIG_WISP_PROFILE
	[CMD_PROFILE] = {.mh_write = wisp_mgmt_profile},
#endif
};

static struct mgmt_group group = {
	.mg_handlers = handlers,
	.mg_handlers_count = ARRAY_SIZE(handlers),
	.mg_group_id = CONFIG_WISP_MGMT_GROUP,
#ifdef CONFIG_MCUMGR_SMP_SUPPORT_ORIGINAL_PROTOCOL
	.mg_translate_error = translate,
#endif
#ifdef CONFIG_MCUMGR_GRP_ENUM_DETAILS_NAME
	.mg_group_name = "wisp mgmt",
#endif
};

#ifdef CONFIG_WISP_MGMT_REFUSE_RESET
static enum mgmt_cb_return refuse_reset(uint32_t event, enum mgmt_cb_return prev_status,
					int32_t *rc, uint16_t *error_group, bool *abort_more,
					void *data, size_t data_size)
{
	ARG_UNUSED(event);
	ARG_UNUSED(prev_status);
	ARG_UNUSED(error_group);
	ARG_UNUSED(abort_more);
	ARG_UNUSED(data);
	ARG_UNUSED(data_size);
	*rc = MGMT_ERR_EACCESSDENIED;
	return MGMT_CB_ERROR_RC;
}

static struct mgmt_callback reset_callback = {
	.callback = refuse_reset,
	.event_id = MGMT_EVT_OP_OS_MGMT_RESET,
};
#endif

static void register_group(void)
{
	mgmt_register_group(&group);
#ifdef CONFIG_WISP_MGMT_REFUSE_RESET
	mgmt_callback_register(&reset_callback);
#endif
	if (!IS_ENABLED(CONFIG_WISP_MGMT_AUTHENTICATED) && !IS_ENABLED(CONFIG_WISP_MGMT_SIGNED)) {
		LOG_WRN("SMP has no authentication: whoever reaches it manages the apps "
			"(CONFIG_WISP_MGMT_AUTHENTICATED, CONFIG_WISP_MGMT_SIGNED)");
	}
}

MCUMGR_HANDLER_DEFINE(wisp, register_group);
