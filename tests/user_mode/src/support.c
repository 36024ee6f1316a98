/* SPDX-License-Identifier: Apache-2.0 */

#include <zephyr/ztest.h>

#include "support.h"

WISP_APP_DEFINE(app, "app", CONFIG_WISP_MEMORY_SIZE);
WISP_APP_DEFINE(other, "other", CONFIG_WISP_MEMORY_SIZE);

enum attack attack;
uintptr_t target;
uint32_t told;
atomic_t alive;
uint32_t first_call;
uint32_t last_call;

#ifdef CONFIG_FPU
__noinline void fill_floats(uint32_t value)
{
	__asm__ volatile(".irp n, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,"
			 "16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31\n"
			 "vmov s\\n, %0\n"
			 ".endr" ::"r"(value));
}
#endif

static uint32_t test_ask(struct wisp_caller *caller, uint32_t *slots, const void *env)
{
	ARG_UNUSED(caller);
	ARG_UNUSED(env);
	switch (slots[0]) {
	case ATTACK:
		slots[0] = attack;
		break;
	case TARGET:
		slots[0] = target;
		break;
#ifdef CONFIG_FPU
	case FLOATS:
		fill_floats(SECRET);
		break;
#endif
	default:
		told = slots[0] - TELL;
		break;
	}
	return 0;
}
WISP_HOST_FUNCTION_DEFINE("test", "ask", "(i)i", test_ask);

static uint32_t test_alive(struct wisp_caller *caller, uint32_t *slots, const void *env)
{
	ARG_UNUSED(slots);
	ARG_UNUSED(env);
	atomic_inc(&alive);
	return wisp_caller_sleep(caller, 1000) ? WISP_TRAP_INTERRUPTED : 0;
}
WISP_HOST_FUNCTION_DEFINE("test", "alive", "(i)", test_alive);

static uint32_t test_tick(struct wisp_caller *caller, uint32_t *slots, const void *env)
{
	ARG_UNUSED(caller);
	ARG_UNUSED(env);
	last_call = k_cycle_get_32();
	if (slots[0] == 0) {
		first_call = last_call;
	}
	slots[0]++;
	return 0;
}
WISP_HOST_FUNCTION_DEFINE("test", "tick", "(i)i", test_tick);

struct wisp_app_status run(const char *image)
{
	struct wisp_app_status status;

	zassert_ok(wisp_app_load_embedded(&app, image), "%s", image);
	zassert_ok(wisp_app_start(&app));
	zassert_ok(wisp_app_join(&app, K_SECONDS(20)));
	wisp_app_status(&app, &status);
	return status;
}
