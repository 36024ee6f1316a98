/* SPDX-License-Identifier: Apache-2.0 */

/* Compiled C programs give the same results as native code of a guest and in the firmware. */

#include <zephyr/ztest.h>

#include "support.h"

ZTEST_SUITE(workloads, NULL, NULL, NULL, NULL, NULL);

static void compare(const char *image, uint32_t (*native)(uint32_t), uint32_t count)
{
	struct wisp_app_status status;

	iterations = count;
	told = 0;
	status = run(image, RETURN_SEVEN);
	zassert_equal(status.state, WISP_APP_EXITED, "%s: state %d, %s", image, status.state,
		      wisp_trap_text(status.trap));
	zassert_true(status.native);
	zassert_equal(told, 1);
	zassert_equal(checksum, native(count), "%s: %08x in the guest, %08x in the firmware", image,
		      checksum, native(count));
}

#define WORKLOAD(_name, _count)                                                                    \
	uint32_t native_##_name(uint32_t n);                                                       \
	ZTEST(workloads, test_##_name)                                                             \
	{                                                                                          \
		compare(#_name, native_##_name, _count);                                           \
	}

WORKLOAD(nop, 5)
WORKLOAD(bubble, 2)
WORKLOAD(crc16, 3)
WORKLOAD(fib, 2)
WORKLOAD(fir_f32, 2)
WORKLOAD(hash64, 3)
WORKLOAD(hostcall, 10)
WORKLOAD(mandel_f64, 1)
WORKLOAD(matmul, 1)
WORKLOAD(sha256, 2)
WORKLOAD(sieve, 1)
WORKLOAD(vcall, 4)
