/* SPDX-License-Identifier: Apache-2.0 */

/* Interpreters in user mode: code that no verifier has seen reaches no more than native code. */

#include <zephyr/ztest.h>

#include "support.h"

ZTEST_SUITE(interpreted, NULL, NULL, NULL, NULL, NULL);

ZTEST(interpreted, test_right_code_runs)
{
	struct wisp_app_status status;

	target = 7;
	status = run("plain");
	zassert_equal(status.state, WISP_APP_EXITED, "state %d", status.state);
	zassert_false(status.native);
	zassert_equal(told, 7 + 0x3234 - TELL, "%u", told);
}

ZTEST(interpreted, test_slots_beyond_the_frames_are_out_of_reach)
{
	static const char *const images[] = {"wrong_write", "wrong_read"};

	ARRAY_FOR_EACH_PTR(images, image) {
		struct wisp_app_status status = run(*image);

		zassert_equal(status.state, WISP_APP_TRAPPED, "%s: state %d", *image, status.state);
		zassert_equal(status.trap, WISP_TRAP_MEMORY_PROTECTION, "%s: %s", *image,
			      wisp_trap_text(status.trap));
		zassert_equal(run("plain").state, WISP_APP_EXITED);
	}
}
