/* SPDX-License-Identifier: Apache-2.0 */

/* Each limit, set for an app in devicetree or by API, stops what goes beyond it. */

#include "support.h"

ZTEST_SUITE(limits, NULL, NULL, NULL, NULL, NULL);

static void expect_refused(const struct wisp_app *app, const char *image, int error)
{
	struct wisp_app_status status = run_image(app, image);

	zassert_equal(status.state, WISP_APP_FAILED, "state %d", status.state);
	zassert_equal(status.error, error, "error %d", status.error);
}

ZTEST(limits, test_a_table_that_is_too_large_is_refused)
{
	expect_refused(TIGHT, "large_table", -E2BIG);
	zassert_equal(run_image(&loose, "large_table").state, WISP_APP_EXITED);
}

ZTEST(limits, test_a_table_needs_room_among_the_instance_records)
{
	expect_refused(&loose, "huge_table", -E2BIG);
	expect_refused(CRAMPED, "huge_table", -ENOMEM);
	zassert_equal(run_image(ROOMY, "huge_table").state, WISP_APP_EXITED);
}

ZTEST(limits, test_a_memory_that_is_too_large_is_refused)
{
	expect_refused(CRAMPED, "counter", -ENOMEM);
}

ZTEST(limits, test_too_many_imports_are_refused)
{
	expect_refused(TIGHT, "many_imports", -E2BIG);
	zassert_equal(run_image(&loose, "many_imports").state, WISP_APP_EXITED);
}

ZTEST(limits, test_too_many_functions_are_refused)
{
	expect_refused(TIGHT, "many_functions", -E2BIG);
	zassert_equal(run_image(&loose, "many_functions").state, WISP_APP_EXITED);
}

ZTEST(limits, test_memory_grows_to_its_limit_only)
{
	begin(&loose, GROW, 0);
	zassert_equal(outcome(&loose).state, WISP_APP_EXITED);
	zassert_true(reported > 0);
}

ZTEST(limits, test_the_call_depth_is_exact)
{
	/* main and its callers are nested as well: the deepest that is let through is the limit. */
	uint32_t deepest = 0;

	wisp_app_set_fuel(TIGHT, WISP_FUEL_UNLIMITED);
	for (uint32_t depth = 1; depth <= 20; depth++) {
		struct wisp_app_status status;

		begin(TIGHT, NEST, depth);
		status = outcome(TIGHT);
		if (status.state == WISP_APP_EXITED) {
			zassert_equal(reported, depth);
			zassert_equal(deepest, depth - 1);
			deepest = depth;
		} else {
			expect_trap(status, WISP_TRAP_CALL_DEPTH_EXCEEDED);
		}
	}
	/* The entry, what it calls, main. */
	zassert_between_inclusive(deepest, 20 - 4, 20 - 1, "deepest %u", deepest);
	begin(TIGHT, NEST, 100000);
	expect_trap(outcome(TIGHT), WISP_TRAP_CALL_DEPTH_EXCEEDED);
}

ZTEST(limits, test_the_frames_bound_what_has_no_depth)
{
	begin(SHALLOW, NEST, 2);
	zassert_equal(outcome(SHALLOW).state, WISP_APP_EXITED);
	begin(SHALLOW, NEST, 100000);
	expect_trap(outcome(SHALLOW), WISP_TRAP_STACK_OVERFLOW);
}

ZTEST(limits, test_fuel_of_the_devicetree_and_of_the_api)
{
	struct wisp_app_status status;

	wisp_app_set_max_run(TIGHT, 0);
	wisp_app_set_fuel(TIGHT, 3000);
	begin(TIGHT, SPIN, 0);
	status = outcome(TIGHT);
	expect_trap(status, WISP_TRAP_OUT_OF_FUEL);
	zassert_equal(status.fuel_used, 3000);
	wisp_app_set_fuel(TIGHT, 50000);
	begin(TIGHT, SPIN, 0);
	status = outcome(TIGHT);
	expect_trap(status, WISP_TRAP_OUT_OF_FUEL);
	zassert_equal(status.fuel_used, 50000);
}

ZTEST(limits, test_a_deadline_ends_an_app_that_spins)
{
	NEEDS_PREEMPTION();
	wisp_app_set_fuel(TIGHT, WISP_FUEL_UNLIMITED);
	wisp_app_set_max_run(TIGHT, 30);
	begin_counting();
	for (enum excess excess = SPIN; excess <= DIVIDE_FLOATS; excess++) {
		int64_t start = k_uptime_get();

		begin(TIGHT, excess, 0);
		expect_trap(outcome(TIGHT), WISP_TRAP_DEADLINE_EXCEEDED);
		zassert_between_inclusive(k_uptime_get() - start, 30, 60);
	}
	end_counting();
}

ZTEST(limits, test_a_deadline_ends_a_start_function)
{
	NEEDS_PREEMPTION();
	wisp_app_set_max_run(&loose, 20);
	expect_trap(run_image(&loose, "spin_in_start"), WISP_TRAP_DEADLINE_EXCEEDED);
	wisp_app_set_max_run(&loose, 0);
}

ZTEST(limits, test_fuel_ends_a_start_function)
{
	wisp_app_set_fuel(&loose, 1000);
	expect_trap(run_image(&loose, "spin_in_start"), WISP_TRAP_OUT_OF_FUEL);
	wisp_app_set_fuel(&loose, WISP_FUEL_UNLIMITED);
}

ZTEST(limits, test_a_deadline_does_not_end_an_app_that_blocks)
{
	struct wisp_app_status status;

	wisp_app_set_max_run(COUNTER, 10);
	begin_counting();
	k_msleep(100);
	wisp_app_status(COUNTER, &status);
	zassert_equal(status.state, WISP_APP_RUNNING);
	end_counting();
	wisp_app_set_max_run(COUNTER, 0);
}
