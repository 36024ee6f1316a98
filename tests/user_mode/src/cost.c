/* SPDX-License-Identifier: Apache-2.0 */

/* What the way to the first host call takes, and a host call: with and without user mode. */

#include <zephyr/ztest.h>

#include "support.h"

ZTEST_SUITE(cost, NULL, NULL, NULL, NULL, NULL);

ZTEST(cost, test_calls_of_the_host)
{
	/* Native code, and the same interpreted. */
	static const char *const images[] = {"calls", "calls_ir"};

	ARRAY_FOR_EACH_PTR(images, image) {
		uint32_t start = k_cycle_get_32();

		zassert_equal(run(*image).state, WISP_APP_EXITED);
		TC_PRINT("cycles, %s: to the first call %u, for 999 calls %u\n", *image,
			 first_call - start, last_call - first_call);
	}
}
