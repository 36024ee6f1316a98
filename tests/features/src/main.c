/* SPDX-License-Identifier: Apache-2.0 */

/* An image runs if the engine has what it needs, and is refused otherwise. */

#include <zephyr/ztest.h>

#include <wisp/wisp.h>

ZTEST_SUITE(features, NULL, NULL, NULL, NULL, NULL);

WISP_APP_DEFINE(app, "app", 65536);

static void expect(const char *image, bool built)
{
	struct wisp_app_status status;

	zassert_ok(wisp_app_load_embedded(&app, image));
	zassert_ok(wisp_app_start(&app));
	zassert_ok(wisp_app_join(&app, K_SECONDS(10)));
	wisp_app_status(&app, &status);
	if (built) {
		zassert_equal(status.state, WISP_APP_EXITED, "%s: state %d, error %d", image, status.state,
			      status.error);
	} else {
		zassert_equal(status.state, WISP_APP_FAILED, "%s: state %d", image, status.state);
		zassert_equal(status.error, -ENOTSUP, "%s: error %d", image, status.error);
	}
}

ZTEST(features, test_what_needs_nothing_runs)
{
	expect("base", true);
}

ZTEST(features, test_images_run_if_their_features_are_built_in)
{
	expect("bulk_memory", IS_ENABLED(CONFIG_WISP_BULK_MEMORY));
	expect("float", IS_ENABLED(CONFIG_WISP_FLOAT));
	expect("reference_types", IS_ENABLED(CONFIG_WISP_REFERENCE_TYPES));
	expect("saturating_float_to_int", IS_ENABLED(CONFIG_WISP_SATURATING_FLOAT_TO_INT));
	expect("sign_extension", IS_ENABLED(CONFIG_WISP_SIGN_EXTENSION));
	expect("tail_call", IS_ENABLED(CONFIG_WISP_TAIL_CALL));
}
