/* SPDX-License-Identifier: Apache-2.0 */

#include <zephyr/ztest.h>

#include "support.h"

struct wisp_app_status ended(const struct wisp_app *app)
{
	struct wisp_app_status status;

	zassert_ok(wisp_app_join(app, K_SECONDS(20)));
	wisp_app_status(app, &status);
	return status;
}

void begin(const struct wisp_app *app, const char *image)
{
	zassert_ok(wisp_app_load_embedded(app, image));
	zassert_ok(wisp_app_start(app));
}

void succeed(const struct wisp_app *app)
{
	struct wisp_app_status status = ended(app);

	zassert_equal(status.state, WISP_APP_EXITED, "state %d, trap %d, error %d", status.state,
		      status.trap, status.error);
	zassert_equal(status.exit_status, 0, "the guest's check in line %d failed",
		      status.exit_status);
}
