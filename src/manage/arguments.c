/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Arguments and environment of apps over MCUmgr:
 *
 * - {"name"} reads {"args": [...], "env": [...]}.
 * - {"name", "args", "env"} sets those of the two that it has.
 * - {"name", "reset": true} goes back to those of the devicetree node.
 */

#include <errno.h>
#include <string.h>

#include <zephyr/kernel.h>
#include <zephyr/mgmt/mcumgr/mgmt/mgmt.h>
#include <zephyr/mgmt/mcumgr/smp/smp.h>

#include <mgmt/mcumgr/util/zcbor_bulk.h>
#include <zcbor_common.h>
#include <zcbor_decode.h>
#include <zcbor_encode.h>

#include <wisp/storage.h>
#include <wisp/wisp.h>

#include "app/arguments.h"
#include "manage/mgmt.h"

/* Strings of a request, and whether it has them and they fit. */
struct list {
	struct wisp_strings strings;
	bool given;
	bool fits;
};

/* Requests come one at a time, and the stack of their thread is small. */
static struct list args;
static struct list env;

static bool decode_list(zcbor_state_t *zsd, void *result)
{
	struct list *list = result;
	struct zcbor_string text;

	list->given = true;
	list->fits = true;
	list->strings.size = 0;
	if (!zcbor_list_start_decode(zsd)) {
		return false;
	}
	while (!zcbor_array_at_end(zsd)) {
		if (!zcbor_tstr_decode(zsd, &text) || memchr(text.value, '\0', text.len) != NULL) {
			return false;
		}
		if (text.len >= CONFIG_WISP_ARGS_SIZE - list->strings.size) {
			list->fits = false;
			continue;
		}
		memcpy(&list->strings.text[list->strings.size], text.value, text.len);
		list->strings.size += text.len;
		list->strings.text[list->strings.size++] = '\0';
	}
	return zcbor_list_end_decode(zsd);
}

static int store_error(int ret)
{
	switch (ret) {
	case 0:
		return 0;
	case -EBUSY:
		return WISP_STORE_RUNNING;
	case -EINVAL:
		return WISP_STORE_VARIABLE;
	case -ENOSPC:
		return WISP_STORE_ARGS_SIZE;
	default:
		return WISP_STORE_NOT_SAVED;
	}
}

static int set_lists(const struct wisp_app *app)
{
	int ret = 0;

	if ((args.given && !args.fits) || (env.given && !env.fits)) {
		return -ENOSPC;
	}
	if (env.given) {
		ret = wisp_arguments_set(app, true, &env.strings);
	}
	if (ret == 0 && args.given) {
		ret = wisp_arguments_set(app, false, &args.strings);
	}
	if (ret == 0 && IS_ENABLED(CONFIG_WISP_ARGS_SAVED)) {
		ret = wisp_app_save_args(app);
	}
	return ret;
}

int wisp_mgmt_set_args(struct smp_streamer *ctxt)
{
	int ret = wisp_mgmt_signed(ctxt, CMD_ARGS);
	char name[WISP_STORE_NAME_SIZE] = "";
	const struct wisp_app *app;
	bool reset = false;
	size_t decoded = 0;
	struct zcbor_map_decode_key_val keys[] = {
		ZCBOR_MAP_DECODE_KEY_DECODER("name", wisp_mgmt_decode_name, name),
		ZCBOR_MAP_DECODE_KEY_DECODER("args", decode_list, &args),
		ZCBOR_MAP_DECODE_KEY_DECODER("env", decode_list, &env),
		ZCBOR_MAP_DECODE_KEY_DECODER("reset", zcbor_bool_decode, &reset),
	};

	if (ret != 0) {
		return wisp_mgmt_fail(ctxt, ret);
	}
	args.given = false;
	env.given = false;
	if (zcbor_map_decode_bulk(ctxt->reader->zs, keys, ARRAY_SIZE(keys), &decoded) != 0 ||
	    name[0] == '\0') {
		return MGMT_ERR_EINVAL;
	}
	app = wisp_app_find(name);
	if (app == NULL) {
		ret = WISP_STORE_NO_APP;
	} else {
		ret = store_error(reset ? wisp_app_reset_args(app) : set_lists(app));
	}
	return (ret != 0) ? wisp_mgmt_fail(ctxt, ret) : MGMT_ERR_EOK;
}

/* Puts a list of strings, with whatever their number is. */
static bool put_list(zcbor_state_t *zse, const struct wisp_app *app,
		     const char *(*get)(const struct wisp_app *app, size_t index))
{
	size_t count = 0;
	bool ok;

	while (get(app, count) != NULL) {
		count++;
	}
	ok = zcbor_list_start_encode(zse, count);
	for (size_t i = 0; i < count && ok; i++) {
		const char *text = get(app, i);

		/* Another thread may have set fewer meanwhile. */
		ok = text != NULL && zcbor_tstr_encode_ptr(zse, text, strlen(text));
	}
	return ok && zcbor_list_end_encode(zse, count);
}

int wisp_mgmt_args(struct smp_streamer *ctxt)
{
	zcbor_state_t *zse = ctxt->writer->zs;
	int ret;
	const struct wisp_app *app = wisp_mgmt_app(ctxt, &ret);

	if (app == NULL) {
		return ret;
	}
	return wisp_mgmt_finish(zcbor_tstr_put_lit(zse, "args") &&
				put_list(zse, app, wisp_app_arg) &&
				zcbor_tstr_put_lit(zse, "env") && put_list(zse, app, wisp_app_env));
}
