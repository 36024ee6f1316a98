/* SPDX-License-Identifier: Apache-2.0 */

/* Arguments and environment of apps, and what WASI answers on a board without files. */

#include <string.h>

#include <zephyr/ztest.h>

#include "support.h"

ZTEST_SUITE(arguments, NULL, NULL, NULL, NULL, NULL);

/* Runs the guest, which ends with 256 if all is right, else with the number of a line. */
static void run(const struct wisp_app *app)
{
	struct wisp_app_status status;

	atomic_set(&report_count, 0);
	status = run_image(app, "wasi");
	zassert_equal(status.state, WISP_APP_EXITED);
	zassert_equal(status.exit_status, 256, "line %d of guests/wasi.c", status.exit_status);
}

static void expect(size_t index, const char *text)
{
	uint64_t first = 0;

	for (size_t i = 0; i < MIN(strlen(text), 4); i++) {
		first |= (uint64_t)(uint8_t)text[i] << (8 * i);
	}
	zassert_equal(reported[index], (uint64_t)strlen(text) << 32 | first, "%zu: %s", index,
		      text);
}

ZTEST(arguments, test_an_app_without_a_node_has_its_name_only)
{
	run(&plain);
	zassert_equal(reported[0], 1);
	expect(1, "plain");
	zassert_equal(reported[2], 0);
	zassert_equal(atomic_get(&report_count), 3);
}

ZTEST(arguments, test_those_of_the_node_arrive_and_can_be_replaced)
{
	static const char *const args[] = {"a", "", "long one"};
	static const char *const env[] = {"A=b", "C="};

	run(FIRST);
	zassert_equal(reported[0], 3);
	expect(1, "first");
	expect(2, "-v");
	expect(3, "two words");
	zassert_equal(reported[4], 1);
	expect(5, "ROOM=kitchen");

	zassert_ok(wisp_app_set_args(FIRST, ARRAY_SIZE(args), args));
	zassert_ok(wisp_app_set_env(FIRST, ARRAY_SIZE(env), env));
	run(FIRST);
	zassert_equal(reported[0], 4);
	expect(2, "a");
	expect(3, "");
	expect(4, "long one");
	zassert_equal(reported[5], 2);
	expect(6, "A=b");
	expect(7, "C=");

	zassert_ok(wisp_app_set_args(FIRST, 0, NULL));
	run(FIRST);
	zassert_equal(reported[0], 1);
}

ZTEST(arguments, test_what_cannot_be_set_is_refused)
{
	static const char *const fits[] = {"123456789012345"};
	static const char *const long_one[] = {"1234567890123456"};
	static const char *const nameless[] = {"=b"};
	static const char *const valueless[] = {"AB"};

	zassert_ok(wisp_app_set_args(&plain, 1, fits));
	zassert_equal(wisp_app_set_args(&plain, 1, long_one), -ENOSPC);
	zassert_equal(wisp_app_set_env(&plain, 1, nameless), -EINVAL);
	zassert_equal(wisp_app_set_env(&plain, 1, valueless), -EINVAL);
	begin(&plain, SLEEP);
	zassert_equal(wisp_app_set_args(&plain, 0, NULL), -EBUSY);
	zassert_ok(wisp_app_stop(&plain));
	(void)outcome(&plain);
	zassert_ok(wisp_app_set_args(&plain, 0, NULL));
}
