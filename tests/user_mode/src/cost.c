/* SPDX-License-Identifier: Apache-2.0 */

/* What the way to the first host call takes, and a host call: with and without user mode. */

#include <zephyr/ztest.h>

#include "support.h"

ZTEST_SUITE(cost, NULL, NULL, NULL, NULL, NULL);

ZTEST(cost, test_calls_of_the_host)
{
	uint32_t start = k_cycle_get_32();

	zassert_equal(run("calls").state, WISP_APP_EXITED);
	TC_PRINT("cycles: to the first call %u, for 999 calls %u\n", first_call - start,
		 last_call - first_call);
}
