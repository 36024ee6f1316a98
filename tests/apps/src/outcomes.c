/* SPDX-License-Identifier: Apache-2.0 */

/* How runs end, and what the status says then. */

#include <zephyr/ztest.h>

#include "support.h"

ZTEST_SUITE(outcomes, NULL, NULL, NULL, NULL, NULL);

static void expect_trap(enum behaviour behaviour, enum wisp_trap trap)
{
	struct wisp_app_status status = behave(&plain, behaviour);

	zassert_equal(status.state, WISP_APP_TRAPPED, "state %d", status.state);
	zassert_equal(status.trap, trap, "trap %d: %s", status.trap, wisp_trap_text(status.trap));
	/* The place is known: a function of the image, and an offset in its code. */
	zassert_not_equal(status.function, UINT32_MAX);
	zassert_true(status.offset > 0 && status.offset < wisp_image_find("behaviours")->size);
}

ZTEST(outcomes, test_returning_is_exiting_with_zero)
{
	struct wisp_app_status status = behave(&plain, RETURN_ZERO);

	zassert_equal(status.state, WISP_APP_EXITED);
	zassert_equal(status.exit_status, 0);
	zassert_equal(status.trap, WISP_TRAP_NONE);
}

ZTEST(outcomes, test_exit_statuses_arrive)
{
	zassert_equal(behave(&plain, RETURN_SEVEN).exit_status, 7);
	zassert_equal(behave(&plain, EXIT_WITH_NINE).exit_status, 9);
}

ZTEST(outcomes, test_every_reason_of_a_trap_is_told)
{
	expect_trap(UNREACHABLE, WISP_TRAP_UNREACHABLE);
	expect_trap(OUT_OF_BOUNDS, WISP_TRAP_MEMORY_OUT_OF_BOUNDS);
	expect_trap(DIVIDE_BY_ZERO, WISP_TRAP_INTEGER_DIVISION_BY_ZERO);
	expect_trap(OVERFLOW, WISP_TRAP_INTEGER_OVERFLOW);
	expect_trap(CALL_NULL, WISP_TRAP_INDIRECT_CALL_TO_NULL);
	expect_trap(HOST_TRAP, WISP_TRAP_HOST_ERROR);
}

ZTEST(outcomes, test_endless_recursion_is_caught)
{
	struct wisp_app_status status = behave(&plain, RECURSE);

	/* The guest's own stack or its frames, whichever end first. */
	zassert_equal(status.state, WISP_APP_TRAPPED);
	zassert_true(status.trap == WISP_TRAP_STACK_OVERFLOW ||
		     status.trap == WISP_TRAP_MEMORY_OUT_OF_BOUNDS);
}

ZTEST(outcomes, test_fuel_ends_a_spinning_app)
{
	struct wisp_app_status status;

	wisp_app_set_fuel(&plain, 5000);
	status = behave(&plain, SPIN);
	wisp_app_set_fuel(&plain, WISP_FUEL_UNLIMITED);
	zassert_equal(status.state, WISP_APP_TRAPPED);
	zassert_equal(status.trap, WISP_TRAP_OUT_OF_FUEL);
	zassert_equal(status.fuel_used, 5000);
}

ZTEST(outcomes, test_fuel_that_suffices_changes_nothing)
{
	struct wisp_app_status status;

	wisp_app_set_fuel(&plain, 5000);
	status = behave(&plain, RETURN_SEVEN);
	wisp_app_set_fuel(&plain, WISP_FUEL_UNLIMITED);
	zassert_equal(status.state, WISP_APP_EXITED);
	zassert_equal(status.exit_status, 7);
	zassert_true(status.fuel_used > 0 && status.fuel_used < 100);
}

ZTEST(outcomes, test_imports_that_the_firmware_lacks_are_refused)
{
	struct wisp_app_status status = run_image(&plain, "unknown_import");

	zassert_equal(status.state, WISP_APP_FAILED);
	zassert_equal(status.error, -ENOTSUP);
}

ZTEST(outcomes, test_imports_of_another_type_are_refused)
{
	struct wisp_app_status status = run_image(&plain, "wrong_type");

	zassert_equal(status.state, WISP_APP_FAILED);
	zassert_equal(status.error, -ENOTSUP);
}

ZTEST(outcomes, test_an_image_that_needs_more_memory_than_the_app_has_is_refused)
{
	struct wisp_app_status status = run_image(&plain, "large");

	zassert_equal(status.state, WISP_APP_FAILED);
	zassert_equal(status.error, -ENOMEM);
}

ZTEST(outcomes, test_the_native_stack_suffices)
{
	size_t unused;

	/* A stack that is mapped for its thread is gone when the thread has ended. */
	Z_TEST_SKIP_IFDEF(CONFIG_THREAD_STACK_MEM_MAPPED);
	/* The deepest calls: a driver below a host function, and logging below that. */
	(void)run_image(FIRST, "pins");
	(void)behave(&plain, OUT_OF_BOUNDS);
	zassert_ok(k_thread_stack_space_get(&FIRST->data->thread, &unused));
	TC_PRINT("%zu of %zu bytes of stack unused\n", unused, FIRST->stack_size);
	zassert_true(unused >= 128);
}

ZTEST(outcomes, test_traps_have_words)
{
	zassert_str_equal(wisp_trap_text(WISP_TRAP_OUT_OF_FUEL), "out of fuel");
	zassert_str_equal(wisp_trap_text((enum wisp_trap)200), "unknown");
}
