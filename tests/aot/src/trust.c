/* SPDX-License-Identifier: Apache-2.0 */

/* Which native code a device runs, and what it says about the rest. */

#include <string.h>

#include <zephyr/ztest.h>

#include "support.h"

ZTEST_SUITE(trust, NULL, NULL, NULL, NULL, NULL);

#define FOREIGN(_name)                                                                             \
	extern const uint8_t foreign_##_name[];                                                    \
	extern const uint8_t foreign_##_name##_end[];

FOREIGN(signed)
FOREIGN(attached)
FOREIGN(foreign_attached)
FOREIGN(unsigned)
FOREIGN(unsigned_only)
FOREIGN(tampered)
FOREIGN(stranger)
FOREIGN(version)
FOREIGN(helpers)
FOREIGN(target)
FOREIGN(hash)

#define RUN(_name) run_foreign(foreign_##_name, foreign_##_name##_end)

static struct wisp_app_status run_foreign(const uint8_t *start, const uint8_t *end)
{
	forget_log();
	zassert_ok(wisp_app_load(&app, start, end - start));
	return run_loaded(RETURN_SEVEN);
}

/* What becomes of an image with IR whose native code does not run. */
static void expect_ir(struct wisp_app_status status)
{
	zassert_false(status.native);
	if (!IS_ENABLED(CONFIG_WISP_INTERPRETER)) {
		zassert_equal(status.state, WISP_APP_FAILED, "state %d", status.state);
		zassert_equal(status.error, -ENOEXEC);
		zassert_true(was_logged("CONFIG_WISP_INTERPRETER is not set"));
		return;
	}
	zassert_equal(status.state, WISP_APP_EXITED, "state %d", status.state);
	zassert_equal(status.exit_status, 7);
	zassert_true(was_logged("its IR runs instead"));
}

ZTEST(trust, test_signed_native_code_runs)
{
	struct wisp_app_status status = RUN(signed);

	zassert_true(status.native);
	zassert_equal(status.exit_status, 7);
}

ZTEST(trust, test_attached_native_code_runs_if_a_compile_key_signed_it)
{
	struct wisp_app_status status = RUN(attached);

	zassert_true(status.native);
	zassert_equal(status.exit_status, 7);
	expect_ir(RUN(foreign_attached));
}

ZTEST(trust, test_native_code_that_nobody_trusted_signed_does_not_run)
{
	expect_ir(RUN(unsigned));
	zassert_true(was_logged("bears no signature"));
	expect_ir(RUN(tampered));
	expect_ir(RUN(stranger));
}

ZTEST(trust, test_without_ir_it_is_refused)
{
	struct wisp_app_status status = RUN(unsigned_only);

	zassert_equal(status.state, WISP_APP_FAILED);
	zassert_equal(status.error, -ENOEXEC);
	zassert_true(was_logged(IS_ENABLED(CONFIG_WISP_INTERPRETER)
					? "the image has no IR either"
					: "CONFIG_WISP_INTERPRETER is not set"));
}

ZTEST(trust, test_ir_without_native_code_needs_an_interpreter)
{
	struct wisp_app_status status;

	forget_log();
	status = run("tasks_ir", RETURN_SEVEN);
	zassert_false(status.native);
	if (IS_ENABLED(CONFIG_WISP_INTERPRETER)) {
		zassert_equal(status.exit_status, 7);
	} else {
		zassert_equal(status.state, WISP_APP_FAILED, "state %d", status.state);
		zassert_equal(status.error, -ENOEXEC);
		zassert_true(was_logged("the image has no native code"));
		zassert_true(was_logged("CONFIG_WISP_INTERPRETER is not set"));
	}
}

ZTEST(trust, test_code_for_another_machine_is_refused_with_both_named)
{
	expect_ir(RUN(target));
	zassert_true(was_logged(IS_ENABLED(CONFIG_RISCV) ? "is for Armv8-M" : "is for RV32IMAC"));
	zassert_true(was_logged(IS_ENABLED(CONFIG_RISCV)               ? "is on RV32IM"
				: IS_ENABLED(CONFIG_CPU_CORTEX_M0)     ? "is on Armv6-M"
				: IS_ENABLED(CONFIG_CPU_CORTEX_M0PLUS) ? "is on Armv6-M"
				: IS_ENABLED(CONFIG_CPU_CORTEX_M3)     ? "is on Armv7-M,"
				: IS_ENABLED(CONFIG_CPU_CORTEX_M4)
					? "is on Armv7E-M, single-precision FPU"
				: IS_ENABLED(CONFIG_CPU_CORTEX_M33) ? "is on Armv8-M Mainline"
								    : "is on x86-64"));
}

ZTEST(trust, test_code_for_another_runtime_or_module_is_refused)
{
	expect_ir(RUN(version));
	zassert_true(was_logged("made for runtime ABI 77, this runtime has "));
	expect_ir(RUN(helpers));
	zassert_true(was_logged("needs 999 runtime helpers"));
	expect_ir(RUN(hash));
	zassert_true(was_logged("made from another wasm module"));
}

#if defined(CONFIG_ARM_MPU) || defined(CONFIG_ARCH_POSIX)
ZTEST(trust, test_code_in_ram_is_not_executed)
{
	static uint8_t copy[8192] __aligned(16);
	size_t size = foreign_signed_end - foreign_signed;

	zassert_true(size <= sizeof(copy));
	memcpy(copy, foreign_signed, size);
	expect_ir(run_foreign(copy, copy + size));
	zassert_true(was_logged("where the processor may execute it"));
}
#endif
