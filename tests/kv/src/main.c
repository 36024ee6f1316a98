/* SPDX-License-Identifier: Apache-2.0 */

/* Stored values: they outlive a run and a restart of the settings, and are each app's own. */

#include <string.h>

#include <zephyr/settings/settings.h>
#include <zephyr/ztest.h>

#include <wisp/wisp.h>

#define APP(name) WISP_APP_DT_GET(DT_PATH(wisp_apps, name))

static void *prepare(void)
{
	static const uint8_t unrelated[] = "keep";

	zassert_ok(settings_subsys_init());
	zassert_ok(settings_save_one("wisp/loggerx/k", unrelated, sizeof(unrelated)));
	return NULL;
}

ZTEST_SUITE(kv, NULL, prepare, NULL, NULL, NULL);

static void run(const struct wisp_app *app, const char *image)
{
	struct wisp_app_status status;

	zassert_ok(wisp_app_load_embedded(app, image));
	zassert_ok(wisp_app_start(app));
	zassert_ok(wisp_app_join(app, K_SECONDS(60)));
	wisp_app_status(app, &status);
	zassert_equal(status.state, WISP_APP_EXITED, "state %d, trap %d, error %d", status.state,
		      status.trap, status.error);
	zassert_equal(status.exit_status, 0, "the guest's check in line %d failed",
		      status.exit_status);
}

ZTEST(kv, test_values_outlive_the_run_and_are_the_apps_own)
{
	char value[8] = {0};

	run(APP(logger), "first");
	/* What the guest stored, as the firmware sees it. */
	zassert_equal(settings_load_one("wisp/logger/count", value, sizeof(value)), 3);
	zassert_mem_equal(value, "two", 3);
	run(APP(logger), "again");
	run(APP(neighbour), "other");
	/* The neighbour had keys of the same names. */
	zassert_equal(settings_load_one("wisp/logger/count", value, sizeof(value)), 3);
	zassert_mem_equal(value, "two", 3);
	zassert_equal(settings_load_one("wisp/loggerx/k", value, sizeof(value)), 5);
}

/* The order of the tests is that of their names: the neighbour cannot store anything after this. */
ZTEST(kv, test_what_an_app_stores_and_wears_is_bounded)
{
	/* kv-erases-per-hour of its node is 1. */
	const uint32_t budget =
		DT_PROP(DT_GPARENT(DT_CHOSEN(zephyr_settings_partition)), erase_block_size);
	const uint32_t entry = 34;
	struct wisp_app_usage usage;
	uint32_t written;

	run(APP(neighbour), "hoard");
	wisp_app_usage(APP(neighbour), &usage);
	written = usage.kv_written;
	/* A byte or two may come back meanwhile. */
	zassert_true(written < budget + entry && written + entry > budget, "%u bytes of %u",
		     written, budget);
	zassert_equal(usage.kv_refused, 2);

	/* Starting again gives no other budget. */
	zassert_ok(wisp_app_start(APP(neighbour)));
	zassert_ok(wisp_app_join(APP(neighbour), K_SECONDS(60)));
	wisp_app_usage(APP(neighbour), &usage);
	zassert_equal(usage.kv_written, written);
}

ZTEST(kv, test_an_app_without_a_quota_stores_nothing)
{
	zassert_ok(wisp_app_load_embedded(APP(poor), "first"));
	zassert_ok(wisp_app_start(APP(poor)));
	zassert_ok(wisp_app_join(APP(poor), K_SECONDS(60)));

	struct wisp_app_status status;

	wisp_app_status(APP(poor), &status);
	zassert_equal(status.exit_status, 13);
	zassert_true(settings_get_val_len("wisp/poor/count") <= 0);
}

/* What a reboot leaves of an app's arguments. */
static void reboot(const struct wisp_app *app)
{
	app->data->args.set = false;
	app->data->env.set = false;
	app->data->args_loaded = false;
}

ZTEST(kv, test_saved_arguments_outlive_a_reboot)
{
	static const char *const args[] = {"-v", "", "two words"};
	static const char *const env[] = {"A=b"};

	zassert_is_null(wisp_app_arg(APP(poor), 0));
	zassert_ok(wisp_app_set_args(APP(poor), ARRAY_SIZE(args), args));
	reboot(APP(poor));
	zassert_is_null(wisp_app_arg(APP(poor), 0), "they were not saved");

	zassert_ok(wisp_app_set_args(APP(poor), ARRAY_SIZE(args), args));
	zassert_ok(wisp_app_save_args(APP(poor)));
	reboot(APP(poor));
	zassert_str_equal(wisp_app_arg(APP(poor), 0), "-v");
	zassert_str_equal(wisp_app_arg(APP(poor), 1), "");
	zassert_str_equal(wisp_app_arg(APP(poor), 2), "two words");
	zassert_is_null(wisp_app_arg(APP(poor), 3));
	zassert_is_null(wisp_app_env(APP(poor), 0));

	/* Saving one of the two lists after a reboot keeps the other. */
	reboot(APP(poor));
	zassert_ok(wisp_app_set_env(APP(poor), ARRAY_SIZE(env), env));
	zassert_ok(wisp_app_save_args(APP(poor)));
	reboot(APP(poor));
	zassert_str_equal(wisp_app_arg(APP(poor), 0), "-v");
	zassert_str_equal(wisp_app_env(APP(poor), 0), "A=b");

	/* An empty list is saved as one. */
	zassert_ok(wisp_app_set_args(APP(poor), 0, NULL));
	zassert_ok(wisp_app_save_args(APP(poor)));
	reboot(APP(poor));
	zassert_is_null(wisp_app_arg(APP(poor), 0));
	zassert_true(APP(poor)->data->args.set);

	zassert_ok(wisp_app_reset_args(APP(poor)));
	reboot(APP(poor));
	zassert_is_null(wisp_app_env(APP(poor), 0));
	zassert_true(settings_get_val_len("wisp_args/poor/args") <= 0);
}
