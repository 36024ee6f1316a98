/* SPDX-License-Identifier: Apache-2.0 */

#include <zephyr/fff.h>
#include <zephyr/ztest.h>

#include "support.h"

DEFINE_FFF_GLOBALS;

static struct wisp_app_status ended(const struct wisp_app *app)
{
	struct wisp_app_status status;

	zassert_ok(wisp_app_join(app, K_SECONDS(60)));
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

void stop(const struct wisp_app *app)
{
	zassert_ok(wisp_app_stop(app));
	zassert_equal(ended(app).state, WISP_APP_STOPPED);
}

static K_SEM_DEFINE(held, 0, 1);

static uint32_t holds(struct wisp_caller *caller, uint32_t *slots, const void *env)
{
	ARG_UNUSED(caller);
	ARG_UNUSED(slots);
	ARG_UNUSED(env);
	k_sem_give(&held);
	return 0;
}
WISP_HOST_FUNCTION_DEFINE("test:board@1", "holds", "()", holds);

void wait_until_held(void)
{
	zassert_ok(k_sem_take(&held, K_SECONDS(30)));
}
