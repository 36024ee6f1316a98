/* SPDX-License-Identifier: Apache-2.0 */

/* Native code of an image that is not in the app storage, after its key was retired there. */

#include <zephyr/ztest.h>

#include <wisp/storage.h>

#include "storage/describe.h"
#include "support.h"

extern const uint8_t foreign_signed[];
extern const uint8_t foreign_signed_end[];
extern const uint8_t foreign_retiring[];
extern const uint8_t foreign_retiring_end[];

WISP_APP_DEFINE(retiring, "retiring", CONFIG_WISP_MEMORY_SIZE);

ZTEST_SUITE(retired, NULL, NULL, NULL, NULL, NULL);

static struct wisp_app_status run_signed(void)
{
	forget_log();
	zassert_ok(wisp_app_load(&app, foreign_signed, foreign_signed_end - foreign_signed));
	return run_loaded(RETURN_SEVEN);
}

/* Installs the image that retires the key, and confirms it as soon as its app runs. */
static void retire(void)
{
	size_t size = foreign_retiring_end - foreign_retiring;
	struct wisp_store_upload upload;
	int ret;

	choose(SLEEP);
	zassert_ok(wisp_describe_image(foreign_retiring, size, &upload));
	zassert_ok(wisp_store_begin(&upload));
	zassert_ok(wisp_store_write(0, foreign_retiring, size));
	zassert_ok(wisp_store_finish());
	do {
		k_sleep(K_MSEC(10));
		ret = wisp_store_confirm("retiring");
	} while (ret == WISP_STORE_UNTRIED);
	zassert_ok(ret);
	zassert_ok(wisp_store_stop("retiring"));
	zassert_ok(wisp_app_join(&retiring, K_SECONDS(10)));
}

ZTEST(retired, test_native_code_of_a_retired_key_does_not_run)
{
	struct wisp_app_status status = run_signed();

	zassert_true(status.native);
	zassert_equal(status.exit_status, 7);
	retire();
	status = run_signed();
	zassert_false(status.native);
	zassert_equal(status.state, WISP_APP_EXITED, "state %d", status.state);
	zassert_equal(status.exit_status, 7);
	zassert_true(was_logged("bears no signature"));
	zassert_true(was_logged("its IR runs instead"));
}
