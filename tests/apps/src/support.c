/* SPDX-License-Identifier: Apache-2.0 */

#include <zephyr/ztest.h>

#include "support.h"

WISP_APP_DEFINE(plain, "plain", 4096);

uint64_t reported[16];
atomic_t report_count;

/* One for each app, so that several may behave differently at once. */
static enum behaviour chosen[3];

static enum behaviour *choice(const struct wisp_app *app)
{
	return &chosen[(app == FIRST) ? 1 : (app == SECOND) ? 2 : 0];
}

static uint32_t behaviour_asked(struct wisp_caller *caller, uint32_t *slots, const void *env)
{
	ARG_UNUSED(env);
	slots[0] = *choice(wisp_caller_app(caller));
	return 0;
}
WISP_HOST_FUNCTION_DEFINE("test", "behaviour", "()i", behaviour_asked);

static uint32_t report(struct wisp_caller *caller, uint32_t *slots, const void *env)
{
	atomic_val_t index = atomic_inc(&report_count);

	ARG_UNUSED(caller);
	ARG_UNUSED(env);
	if (index < ARRAY_SIZE(reported)) {
		reported[index] = wisp_slot_get64(slots);
	}
	return 0;
}
WISP_HOST_FUNCTION_DEFINE("test", "report", "(I)", report);

void begin(const struct wisp_app *app, enum behaviour behaviour)
{
	atomic_set(&report_count, 0);
	*choice(app) = behaviour;
	zassert_ok(wisp_app_load_embedded(app, "behaviours"));
	zassert_ok(wisp_app_start(app));
}

struct wisp_app_status outcome(const struct wisp_app *app)
{
	struct wisp_app_status status;

	zassert_ok(wisp_app_join(app, K_SECONDS(60)));
	wisp_app_status(app, &status);
	return status;
}

struct wisp_app_status behave(const struct wisp_app *app, enum behaviour behaviour)
{
	begin(app, behaviour);
	return outcome(app);
}

struct wisp_app_status run_image(const struct wisp_app *app, const char *image)
{
	zassert_ok(wisp_app_load_embedded(app, image));
	zassert_ok(wisp_app_start(app));
	return outcome(app);
}
