/* SPDX-License-Identifier: Apache-2.0 */

/* Compiled C programs give the same results in a guest as on the bare board. */

#include <zephyr/ztest.h>

#include <wisp/wisp.h>

ZTEST_SUITE(workloads, NULL, NULL, NULL, NULL, NULL);

WISP_APP_DEFINE(app, "app", CONFIG_WISP_MEMORY_SIZE);

static uint32_t iterations;
static uint32_t checksum;
static int told;

static uint32_t give_iterations(struct wisp_caller *caller, uint32_t *slots, const void *env)
{
	ARG_UNUSED(caller);
	ARG_UNUSED(env);
	slots[0] = iterations;
	return 0;
}
WISP_HOST_FUNCTION_DEFINE("test", "iterations", "()i", give_iterations);

static uint32_t take_checksum(struct wisp_caller *caller, uint32_t *slots, const void *env)
{
	ARG_UNUSED(caller);
	ARG_UNUSED(env);
	checksum = slots[0];
	told++;
	return 0;
}
WISP_HOST_FUNCTION_DEFINE("test", "checksum", "(i)", take_checksum);

/* What the workload `hostcall` calls: by name from native code, by import from the guest. */
uint32_t host_add(uint32_t a, uint32_t b)
{
	return a + b;
}

static uint32_t guest_host_add(struct wisp_caller *caller, uint32_t *slots, const void *env)
{
	ARG_UNUSED(caller);
	ARG_UNUSED(env);
	slots[0] = host_add(slots[0], slots[1]);
	return 0;
}
WISP_HOST_FUNCTION_DEFINE("env", "host_add", "(ii)i", guest_host_add);

static struct wisp_app_status run(const char *image)
{
	struct wisp_app_status status;

	told = 0;
	zassert_ok(wisp_app_load_embedded(&app, image));
	zassert_ok(wisp_app_start(&app));
	zassert_ok(wisp_app_join(&app, K_SECONDS(120)));
	wisp_app_status(&app, &status);
	return status;
}

static void compare(const char *image, uint32_t (*native)(uint32_t), uint32_t count)
{
	struct wisp_app_status status;

	iterations = count;
	status = run(image);
	zassert_equal(status.state, WISP_APP_EXITED, "%s: state %d, %s", image, status.state,
		      wisp_trap_text(status.trap));
	zassert_equal(told, 1);
	zassert_equal(checksum, native(count), "%s: %08x in the guest, %08x natively", image,
		      checksum, native(count));
	TC_PRINT("%-10s %08x, %u bytes of linear memory\n", image, checksum, status.memory_used);
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

ZTEST(workloads, test_rust_crates)
{
	/* What guests/crates computes on a desk; its own test says the same. */
	zassert_equal(run("crates").state, WISP_APP_EXITED);
	zassert_equal(told, 1);
	zassert_equal(checksum, 0xe620d7d1);
}
