/* SPDX-License-Identifier: Apache-2.0 */

#include "support.h"

WISP_APP_DEFINE(loose, "loose", 4096);

uint32_t reported;
volatile uint32_t counted;

static enum excess chosen;
static uint32_t chosen_depth;

static uint32_t give_excess(struct wisp_caller *caller, uint32_t *slots, const void *env)
{
	ARG_UNUSED(caller);
	ARG_UNUSED(env);
	slots[0] = chosen;
	return 0;
}
WISP_HOST_FUNCTION_DEFINE("test", "excess", "()i", give_excess);

static uint32_t give_depth(struct wisp_caller *caller, uint32_t *slots, const void *env)
{
	ARG_UNUSED(caller);
	ARG_UNUSED(env);
	slots[0] = chosen_depth;
	return 0;
}
WISP_HOST_FUNCTION_DEFINE("test", "depth", "()i", give_depth);

static uint32_t take_report(struct wisp_caller *caller, uint32_t *slots, const void *env)
{
	ARG_UNUSED(caller);
	ARG_UNUSED(env);
	reported = slots[0];
	return 0;
}
WISP_HOST_FUNCTION_DEFINE("test", "report", "(i)", take_report);

static uint32_t take_count(struct wisp_caller *caller, uint32_t *slots, const void *env)
{
	ARG_UNUSED(caller);
	ARG_UNUSED(env);
	/* One is missing if anything else wrote to the app. */
	counted = (slots[0] == counted + 1) ? slots[0] : 0;
	return 0;
}
WISP_HOST_FUNCTION_DEFINE("test", "count", "(i)", take_count);

static uint32_t nothing(struct wisp_caller *caller, uint32_t *slots, const void *env)
{
	ARG_UNUSED(caller);
	ARG_UNUSED(slots);
	ARG_UNUSED(env);
	return 0;
}
WISP_HOST_FUNCTION_DEFINE("test", "nothing", "()", nothing);

void begin(const struct wisp_app *app, enum excess excess, uint32_t depth)
{
	reported = 0;
	chosen = excess;
	chosen_depth = depth;
	zassert_ok(wisp_app_load_embedded(app, "excess"));
	zassert_ok(wisp_app_start(app));
}

struct wisp_app_status outcome(const struct wisp_app *app)
{
	struct wisp_app_status status;

	zassert_ok(wisp_app_join(app, K_SECONDS(60)));
	wisp_app_status(app, &status);
	return status;
}

struct wisp_app_status run_image(const struct wisp_app *app, const char *image)
{
	zassert_ok(wisp_app_load_embedded(app, image));
	zassert_ok(wisp_app_start(app));
	return outcome(app);
}

void expect_trap(struct wisp_app_status status, enum wisp_trap trap)
{
	zassert_equal(status.state, WISP_APP_TRAPPED, "state %d, error %d", status.state,
		      status.error);
	zassert_equal(status.trap, trap, "trap %d: %s", status.trap, wisp_trap_text(status.trap));
}

void begin_counting(void)
{
	counted = 0;
	zassert_ok(wisp_app_load_embedded(COUNTER, "counter"));
	zassert_ok(wisp_app_start(COUNTER));
	k_msleep(5);
	zassert_true(counted > 0);
}

void end_counting(void)
{
	uint32_t before = counted;

	k_msleep(20);
	zassert_true(counted > before + 5, "%u, then %u", before, counted);
	zassert_ok(wisp_app_stop(COUNTER));
	zassert_equal(outcome(COUNTER).state, WISP_APP_STOPPED);
}
