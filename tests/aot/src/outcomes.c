/* SPDX-License-Identifier: Apache-2.0 */

/* Native code ends as the interpreter does, and says so in the same words. */

#include <zephyr/ztest.h>

#include "support.h"

ZTEST_SUITE(outcomes, NULL, NULL, NULL, NULL, NULL);

ZTEST(outcomes, test_native_code_runs_where_there_is_some)
{
	static const char *const images[] = {"tasks", "tasks_only"};

	ARRAY_FOR_EACH(images, i) {
		struct wisp_app_status status = run(images[i], RETURN_SEVEN);

		zassert_true(status.native, "%s", images[i]);
		zassert_equal(status.state, WISP_APP_EXITED);
		zassert_equal(status.exit_status, 7);
	}
	zassert_equal(run("tasks", EXIT_WITH_NINE).exit_status, 9);
}

ZTEST(outcomes, test_accesses_need_not_be_aligned)
{
	static const char *const images[] = {
#ifdef CONFIG_WISP_INTERPRETER
		"tasks_ir",
#endif
		"tasks", "tasks_only"};

	ARRAY_FOR_EACH(images, i) {
		zassert_equal(run(images[i], ODD_ADDRESSES).exit_status, 7, "%s", images[i]);
	}
}

static void same_trap(enum task task, enum wisp_trap trap)
{
	char of_ir[200], of_native[200];
	struct wisp_app_status ir, native;

	forget_log();
	native = run("tasks", task);
	told_of_trap(of_native, sizeof(of_native));
	zassert_true(native.native);
	zassert_equal(native.state, WISP_APP_TRAPPED, "state %d", native.state);
	zassert_equal(native.trap, trap, "trap %d: %s", native.trap, wisp_trap_text(native.trap));
	zassert_not_equal(native.function, UINT32_MAX);
	if (!IS_ENABLED(CONFIG_WISP_INTERPRETER)) {
		return;
	}
	forget_log();
	ir = run("tasks_ir", task);
	told_of_trap(of_ir, sizeof(of_ir));
	zassert_false(ir.native);
	zassert_equal(native.trap, ir.trap);
	zassert_equal(native.function, ir.function, "%u, not %u", native.function, ir.function);
	zassert_equal(native.offset, ir.offset, "0x%x, not 0x%x", native.offset, ir.offset);
	if (IS_ENABLED(CONFIG_WISP_NATIVE_CALLERS)) {
		zassert_str_equal(of_native, of_ir, "%s, not %s", of_native, of_ir);
		TC_PRINT("%s\n", of_native);
	}
}

ZTEST(outcomes, test_traps_have_the_reason_and_place_that_the_interpreter_tells)
{
	same_trap(UNREACHABLE, WISP_TRAP_UNREACHABLE);
	same_trap(OUT_OF_BOUNDS, WISP_TRAP_MEMORY_OUT_OF_BOUNDS);
	same_trap(DIVIDE_BY_ZERO, WISP_TRAP_INTEGER_DIVISION_BY_ZERO);
	same_trap(OVERFLOW, WISP_TRAP_INTEGER_OVERFLOW);
	same_trap(CALL_NULL, WISP_TRAP_INDIRECT_CALL_TO_NULL);
	same_trap(WRONG_TYPE, WISP_TRAP_BAD_SIGNATURE);
	same_trap(HOST_TRAP, WISP_TRAP_HOST_ERROR);
	same_trap(DIVIDE_BELOW, WISP_TRAP_INTEGER_DIVISION_BY_ZERO);
}

ZTEST(outcomes, test_a_run_after_a_trap_is_as_good_as_the_first)
{
	for (int i = 0; i < 20; i++) {
		zassert_equal(run("tasks", OUT_OF_BOUNDS).state, WISP_APP_TRAPPED);
		zassert_equal(run("tasks", RETURN_SEVEN).exit_status, 7);
	}
}
