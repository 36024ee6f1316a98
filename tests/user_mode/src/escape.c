/* SPDX-License-Identifier: Apache-2.0 */

/* Native code that does what it likes ends its app, and nothing else. */

#include <zephyr/ztest.h>

#include "support.h"

/* In the kernel's RAM. */
static volatile uint32_t canary;

static void before(void *fixture)
{
	ARG_UNUSED(fixture);
	canary = 0xca9a;
	told = UINT32_MAX;
	zassert_ok(wisp_app_load_embedded(&other, "witness"));
	zassert_ok(wisp_app_start(&other));
}

static void after(void *fixture)
{
	ARG_UNUSED(fixture);
	(void)wisp_app_stop(&other);
	(void)wisp_app_join(&other, K_SECONDS(5));
}

ZTEST_SUITE(escape, NULL, NULL, before, after, NULL);

/* The other app goes on, the kernel's RAM is as it was, and the app can run again. */
static void all_is_well(void)
{
	struct wisp_app_status status;
	atomic_val_t count = atomic_get(&alive);

	k_msleep(100);
	zassert_true(atomic_get(&alive) > count + 1);
	wisp_app_status(&other, &status);
	zassert_equal(status.state, WISP_APP_RUNNING);
	zassert_equal(canary, 0xca9a, "0x%x", canary);
	zassert_equal(run("victim").state, WISP_APP_EXITED);
}

static struct wisp_app_status try(enum attack how, uintptr_t where)
{
	attack = how;
	target = where;
	return run("hostile");
}

static void faults(enum attack how, uintptr_t where)
{
	struct wisp_app_status status = try(how, where);

	zassert_equal(status.state, WISP_APP_TRAPPED, "attack %d: state %d", how, status.state);
	zassert_equal(status.trap, WISP_TRAP_MEMORY_PROTECTION, "attack %d: %s", how,
		      wisp_trap_text(status.trap));
	all_is_well();
}

/* The host refuses, with the number of a trap, and the code ends as if nothing had been. */
static void is_refused(enum attack how, uintptr_t where, uint32_t with)
{
	struct wisp_app_status status = try(how, where);

	zassert_equal(status.state, WISP_APP_EXITED, "attack %d: state %d", how, status.state);
	zassert_equal(told, with, "attack %d: %u", how, told);
	all_is_well();
}

ZTEST(escape, test_code_that_behaves_runs)
{
	zassert_equal(try(BEHAVE, 0).state, WISP_APP_EXITED);
	all_is_well();
}

ZTEST(escape, test_memory_of_another_app_is_out_of_reach)
{
	faults(WRITE, (uintptr_t)other.user_memory);
	faults(READ, (uintptr_t)other.user_memory);
	faults(WRITE, (uintptr_t)other.user_memory + other.user_memory_size);
	faults(WRITE, (uintptr_t)K_THREAD_STACK_BUFFER(other.user_stack) + 256);
	faults(WRITE, (uintptr_t)other.arena);
}

ZTEST(escape, test_ram_of_the_kernel_is_out_of_reach)
{
	faults(WRITE, (uintptr_t)&canary);
	faults(READ, (uintptr_t)&canary);
	faults(WRITE, (uintptr_t)&_kernel);
	faults(WRITE, (uintptr_t)app.arena);
	faults(WRITE, (uintptr_t)app.data);
	/* Flash. */
	faults(WRITE, (uintptr_t)&app);
}

static void sabotage(void)
{
	canary = 0xbad;
}

ZTEST(escape, test_functions_of_the_kernel_have_the_rights_of_the_code)
{
	faults(CALL, (uintptr_t)sabotage);
	faults(CALL, (uintptr_t)k_sched_lock);
}

ZTEST(escape, test_objects_of_the_kernel_are_out_of_reach)
{
	faults(GIVE_A_SEMAPHORE, (uintptr_t)&other.data->user.asked);
	faults(END_A_THREAD, (uintptr_t)&other.data->thread);
}

ZTEST(escape, test_other_system_calls_end_the_code)
{
	faults(SLEEP, 0);
	faults(WRITE_TO_THE_CONSOLE, 0);
	faults(CALL_THAT_IS_NONE, 0);
	faults(CALL_THAT_IS_NONE, 0x10000);
#ifdef CONFIG_NET_SOCKETS
	faults(OPEN_A_SOCKET, 0);
#endif
}

#ifdef CONFIG_FPU
ZTEST(escape, test_floats_of_other_threads_are_out_of_reach)
{
	fill_floats(SECRET);
	zassert_equal(try(READ_FLOATS, 0).state, WISP_APP_EXITED);
	zassert_equal(told, 0, "%u registers", told);
	all_is_well();
}

ZTEST(escape, test_floats_are_saved_with_the_rights_of_the_code)
{
	faults(FLOATS_ELSEWHERE,
	       (uintptr_t)K_THREAD_STACK_BUFFER(app.user_stack) + app.user_stack_size);
}
#endif

ZTEST(escape, test_code_that_computes_is_stopped)
{
	struct wisp_app_status status;

	zassert_ok(wisp_app_load_embedded(&app, "spins"));
	zassert_ok(wisp_app_start(&app));
	k_msleep(50);
	wisp_app_status(&app, &status);
	zassert_equal(status.state, WISP_APP_RUNNING, "state %d", status.state);
	zassert_ok(wisp_app_stop(&app));
	zassert_ok(wisp_app_join(&app, K_SECONDS(5)));
	wisp_app_status(&app, &status);
	zassert_equal(status.state, WISP_APP_STOPPED, "state %d", status.state);
	all_is_well();
}

/* Other user threads make system calls as ever. */
K_THREAD_STACK_DEFINE(free_stack, 1024);
static struct k_thread free_thread;

static void free_main(void *a, void *b, void *c)
{
	ARG_UNUSED(a);
	ARG_UNUSED(b);
	ARG_UNUSED(c);
	(void)k_msleep(1);
	/* Returns, which is a system call that ends the thread. */
}

ZTEST(escape, test_other_threads_make_all_system_calls)
{
	(void)k_thread_create(&free_thread, free_stack, K_THREAD_STACK_SIZEOF(free_stack),
			      free_main, NULL, NULL, NULL, 0, K_USER, K_NO_WAIT);
	zassert_ok(k_thread_join(&free_thread, K_SECONDS(5)));
	all_is_well();
}

ZTEST(escape, test_data_is_not_executed)
{
	faults(EXECUTE_DATA, 0);
}

ZTEST(escape, test_the_stack_is_where_it_is)
{
	faults(STACK_OVERFLOW, 0);
	faults(STACK_ELSEWHERE, (uintptr_t)app.arena + 64);
	faults(STACK_ELSEWHERE, (uintptr_t)other.user_memory + 256);
	faults(STACK_ELSEWHERE, (uintptr_t)K_THREAD_STACK_BUFFER(other.user_stack) + 256);
	faults(UNDEFINED_ELSEWHERE, (uintptr_t)app.arena + 64);
	faults(UNDEFINED_ELSEWHERE, (uintptr_t)K_THREAD_STACK_BUFFER(other.user_stack) + 256);
}

ZTEST(escape, test_the_kernel_knows_which_thread_runs)
{
	faults(FORGED_THREAD_FAULTS, 0);
	faults(FORGED_THREAD_FAULTS, (uintptr_t)&other.data->user.thread);
	faults(FORGED_THREAD, (uintptr_t)&other.data->user.thread);
	zassert_equal(told, 7);
}

ZTEST(escape, test_the_host_writes_nothing_for_a_forged_record)
{
	is_refused(SLOTS_ELSEWHERE, (uintptr_t)&canary, WISP_TRAP_MEMORY_PROTECTION);
	is_refused(SLOTS_ELSEWHERE, (uintptr_t)other.user_memory, WISP_TRAP_MEMORY_PROTECTION);
	is_refused(SLOTS_ELSEWHERE, UINTPTR_MAX - 3, WISP_TRAP_MEMORY_PROTECTION);
	is_refused(RESULT_ELSEWHERE, (uintptr_t)&canary, WISP_TRAP_MEMORY_PROTECTION);
	is_refused(FORGED_MEMORY, (uintptr_t)&canary, WISP_TRAP_MEMORY_OUT_OF_BOUNDS);
	is_refused(FORGED_TABLES, (uintptr_t)&canary, WISP_TRAP_TABLE_OUT_OF_BOUNDS);
	is_refused(WHAT_NOBODY_KNOWS, (uintptr_t)&canary, 100);
}

ZTEST(escape, test_a_forged_trap_is_not_believed)
{
	struct wisp_app_status status = try(FORGED_TRAP, 0);

	/* That it was stopped, which nobody did, in a function that there is not. */
	zassert_equal(status.state, WISP_APP_TRAPPED, "state %d", status.state);
	zassert_equal(status.trap, WISP_TRAP_HOST_ERROR, "%s", wisp_trap_text(status.trap));
	zassert_equal(status.function, UINT32_MAX);
	all_is_well();
}
