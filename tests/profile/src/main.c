/* SPDX-License-Identifier: Apache-2.0 */

/* Profiles of an app that does most of its work in one function, which one the test says. */

#include <zephyr/ztest.h>

#include <wisp/host_function.h>
#include <wisp/wisp.h>

#include "app/kept.h"
#include "app/profile.h"
#include "border/profile.h"

#define HOT WISP_APP_DT_GET(DT_PATH(wisp_apps, hot))

#define MAGIC          0x31525057
#define NONE           UINT32_MAX
#define IS_PLACE(node) (((node)->what & BIT(31)) != 0)

/* Functions of the guest. */
enum work {
	ADDS,
	MIXES,
	MULTIPLIES,
	WAITS,
	PAUSES,
	SLEEPS,
};

/* rust/host/src/profile.rs describes them. */
struct node {
	uint32_t what;
	uint32_t parent;
	uint32_t count;
};

static struct {
	uint32_t magic;
	uint32_t image[2];
	uint32_t ticks;
	uint32_t samples;
	uint32_t unknown;
	uint32_t cut;
	uint32_t count;
	struct node nodes[CONFIG_WISP_PROFILE_NODES];
} found;

static enum work wanted_work;

static uint32_t wanted(struct wisp_caller *caller, uint32_t *slots, const void *env)
{
	ARG_UNUSED(caller);
	ARG_UNUSED(env);
	slots[0] = wanted_work;
	return 0;
}
WISP_HOST_FUNCTION_DEFINE("test", "wanted", "()i", wanted);

static uint32_t busy(struct wisp_caller *caller, uint32_t *slots, const void *env)
{
	ARG_UNUSED(caller);
	ARG_UNUSED(env);
	k_busy_wait(slots[0]);
	return 0;
}
WISP_HOST_FUNCTION_DEFINE("test", "busy", "(i)", busy);

/* Reads the profile in pieces. Returns its bytes. */
static size_t fetch(void)
{
	uint8_t *to = (uint8_t *)&found;
	struct wisp_kept kept;
	size_t length = 0;

	do {
		kept = (struct wisp_kept){0};
		wisp_kept_profile(HOT, length, &to[length], MIN(sizeof(found) - length, 100),
				  &kept);
		zassert_not_equal(kept.generation, WISP_KEPT_RUNNING);
		length += kept.count;
	} while (kept.count > 0 && length < kept.length);
	zassert_equal(length, kept.length);
	return length;
}

static void start(enum work work)
{
	wanted_work = work;
	zassert_ok(wisp_app_load_embedded(HOT, "hot"));
	zassert_ok(wisp_app_start(HOT));
}

static void stop(void)
{
	zassert_ok(wisp_app_stop(HOT));
	zassert_ok(wisp_app_join(HOT, K_SECONDS(60)));
}

/* Returns the function that has a node, which is one or belongs to one. */
static uint32_t function_of(const struct node *node)
{
	if (IS_PLACE(node)) {
		zassert_true(node->parent < found.count);
		node = &found.nodes[node->parent];
	}
	zassert_false(IS_PLACE(node));
	return node->what;
}

/* Returns the samples of a function, with all its callers and places. */
static uint32_t samples_of(uint32_t function)
{
	uint32_t sum = 0;

	for (uint32_t i = 0; i < found.count; i++) {
		sum += function_of(&found.nodes[i]) == function ? found.nodes[i].count : 0;
	}
	return sum;
}

/* Profiles the app with most work in one function. Returns the function with most samples. */
static uint32_t profile(enum work work)
{
	uint32_t hottest = NONE;

	start(work);
	zassert_true(wisp_profile_begin(HOT, 2000));
	k_sleep(K_MSEC(2100));
	zassert_equal(fetch(), (8 + 3 * found.count) * sizeof(uint32_t));
	stop();
	zassert_equal(found.magic, MAGIC);
	zassert_true(found.ticks >= CONFIG_WISP_PROFILE_HZ / 2 &&
			     found.samples >= CONFIG_WISP_PROFILE_HZ / 2,
		     "%u of %u", found.samples, found.ticks);
	for (uint32_t i = 0; i < found.count; i++) {
		uint32_t function = function_of(&found.nodes[i]);

		if (hottest == NONE || samples_of(function) > samples_of(hottest)) {
			hottest = function;
		}
	}
	TC_PRINT("%u of %u samples in function %u, %u unknown, %u cut, %u nodes\n",
		 samples_of(hottest), found.samples, hottest, found.unknown, found.cut,
		 found.count);
	return hottest;
}

/* Profiles the app with most work in one function and then in another. */
static void compare(enum work one, enum work other)
{
	uint32_t functions[2];
	enum work works[2] = {one, other};

	for (size_t i = 0; i < ARRAY_SIZE(works); i++) {
		functions[i] = profile(works[i]);
		zassert_true(samples_of(functions[i]) * 10 > found.samples * 6);
	}
	zassert_not_equal(functions[0], functions[1]);
}

static void stop_if_running(void *fixture)
{
	ARG_UNUSED(fixture);
	(void)wisp_app_stop(HOT);
	(void)wisp_app_join(HOT, K_SECONDS(60));
	wisp_profile_forget(HOT);
}

/* Samples are taken on the stack of the system work queue, which no test has made larger. */
static void look_at_stack(void *fixture)
{
	size_t unused = SIZE_MAX;

	ARG_UNUSED(fixture);
	/* On native_sim, threads run on stacks of the operating system. */
	if (!IS_ENABLED(CONFIG_ARCH_POSIX)) {
		zassert_ok(k_thread_stack_space_get(&k_sys_work_q.thread, &unused));
		TC_PRINT("the system work queue has used %u of %u bytes\n",
			 (unsigned int)(CONFIG_SYSTEM_WORKQUEUE_STACK_SIZE - unused),
			 CONFIG_SYSTEM_WORKQUEUE_STACK_SIZE);
		zassert_true(unused >= 128);
	}
}

ZTEST_SUITE(profile, NULL, NULL, NULL, stop_if_running, look_at_stack);

ZTEST(profile, test_a_function_that_computes_most_has_most_samples)
{
	/* No time passes while an app computes. */
	Z_TEST_SKIP_IFDEF(CONFIG_ARCH_POSIX);
	compare(ADDS, MIXES);
}

ZTEST(profile, test_time_in_a_library_of_floats_is_that_of_the_function)
{
	uint32_t floats;
	uint32_t of_floats;

	Z_TEST_SKIP_IFDEF(CONFIG_ARCH_POSIX);
	floats = profile(MULTIPLIES);
	of_floats = samples_of(floats);
	zassert_true(of_floats * 10 > found.samples * 6);
	/* It is none of those that work more in other profiles, nor the one that calls all of them.
	 */
	(void)profile(MIXES);
	zassert_true(samples_of(floats) * 10 < found.samples * 4);
	(void)profile(WAITS);
	zassert_equal(samples_of(floats), 0);
}

ZTEST(profile, test_time_in_a_host_function_is_that_of_its_caller)
{
	/* Native code may call the host by a function of its own, which no table knows. */
	Z_TEST_SKIP_IFDEF(CONFIG_WISP_NATIVE);
	compare(WAITS, PAUSES);
}

ZTEST(profile, test_an_interpreted_function_has_its_callers_and_places)
{
	enum work work = IS_ENABLED(CONFIG_ARCH_POSIX) ? WAITS : ADDS;
	uint32_t below = 0;
	uint32_t hottest;

	Z_TEST_SKIP_IFDEF(CONFIG_WISP_NATIVE);
	Z_TEST_SKIP_IFDEF(CONFIG_WISP_TRANSLATE);
	hottest = profile(work);
	for (uint32_t i = 0; i < found.count; i++) {
		const struct node *node = &found.nodes[i];
		const struct node *function = &found.nodes[node->parent % found.count];

		/* A place in the function, which another function has called. */
		if (IS_PLACE(node) && function->what == hottest && function->parent != NONE) {
			zassert_not_equal(found.nodes[function->parent].what, hottest);
			below += node->count;
		}
	}
	zassert_true(below * 10 > found.samples * 5, "%u of %u", below, found.samples);
}

ZTEST(profile, test_an_app_that_does_not_run_has_no_profile)
{
	zassert_false(wisp_profile_begin(HOT, 100));
	zassert_equal(fetch(), 0);
}

ZTEST(profile, test_a_profile_ends_with_its_app_and_is_kept)
{
	uint32_t samples;

	start(WAITS);
	zassert_true(wisp_profile_begin(HOT, 1000000));
	k_sleep(K_MSEC(500));
	stop();
	zassert_true(fetch() > 0);
	samples = found.samples;
	zassert_true(samples > 0);
	/* Neither time nor the next run adds anything. */
	start(WAITS);
	k_sleep(K_MSEC(500));
	zassert_true(fetch() > 0);
	zassert_equal(found.samples, samples);
}

ZTEST(profile, test_a_refused_profile_leaves_what_is_kept)
{
	start(WAITS);
	zassert_true(wisp_profile_begin(HOT, 1000000));
	k_sleep(K_MSEC(500));
	stop();
	zassert_false(wisp_profile_begin(HOT, 100));
	zassert_true(fetch() > 0 && found.samples > 0);
}

ZTEST(profile, test_the_random_time_between_samples_is_a_period_in_the_mean)
{
	const uint32_t seconds = 10;
	uint32_t percent;

	if (CONFIG_SYS_CLOCK_TICKS_PER_SEC / CONFIG_WISP_PROFILE_HZ < 100) {
		ztest_test_skip();
	}
	start(WAITS);
	zassert_true(wisp_profile_begin(HOT, seconds * MSEC_PER_SEC));
	k_sleep(K_MSEC(seconds * MSEC_PER_SEC + 500));
	zassert_true(fetch() > 0);
	percent = found.ticks * 100 / (seconds * CONFIG_WISP_PROFILE_HZ);
	zassert_true(percent >= 88 && percent <= 112, "%u %%", percent);
}

ZTEST(profile, test_a_profile_that_goes_on_cannot_be_read_and_the_next_one_replaces_it)
{
	struct wisp_kept kept = {0};
	uint8_t byte;

	start(WAITS);
	zassert_true(wisp_profile_begin(HOT, 1000000));
	wisp_kept_profile(HOT, 0, &byte, sizeof(byte), &kept);
	zassert_equal(kept.generation, WISP_KEPT_RUNNING);
	zassert_equal(kept.length, 0);
	zassert_true(wisp_profile_begin(HOT, 100));
	k_sleep(K_MSEC(300));
	zassert_true(fetch() > 0);
	zassert_true(found.ticks < 100);
	wisp_profile_forget(HOT);
	zassert_equal(fetch(), 0);
}

ZTEST(profile, test_an_app_that_is_in_host_functions_has_the_processor_there)
{
	struct wisp_app_times times = {0};

	Z_TEST_SKIP_IFNDEF(CONFIG_WISP_HOST_TIME);
#ifdef CONFIG_WISP_HOST_TIME
	start(WAITS);
	k_sleep(K_MSEC(1000));
	wisp_app_times(HOT, &times);
	TC_PRINT("%u of %u us, %u in host functions\n", (uint32_t)times.cpu_us,
		 (uint32_t)times.run_us, (uint32_t)times.host_us);
	zassert_true(times.run_us >= 900000 && times.run_us < 1500000);
	zassert_true(times.cpu_us * 10 > times.run_us * 8);
	zassert_true(times.cpu_us <= times.run_us * 11 / 10);
	zassert_true(times.host_us * 10 > times.cpu_us * 7);
	zassert_true(times.host_us <= times.cpu_us);
	zassert_equal(times.wakeups, 0);
#endif
}

ZTEST(profile, test_an_app_that_computes_is_not_in_host_functions)
{
	struct wisp_app_times times = {0};

	Z_TEST_SKIP_IFNDEF(CONFIG_WISP_HOST_TIME);
	Z_TEST_SKIP_IFDEF(CONFIG_ARCH_POSIX);
#ifdef CONFIG_WISP_HOST_TIME
	start(ADDS);
	k_sleep(K_MSEC(1000));
	wisp_app_times(HOT, &times);
	zassert_true(times.cpu_us * 10 > times.run_us * 8);
	zassert_true(times.host_us * 10 < times.cpu_us);
#endif
}

ZTEST(profile, test_an_app_that_sleeps_wakes_up_and_has_little_of_the_processor)
{
	struct wisp_app_times times = {0};
	struct wisp_app_times later = {0};

	Z_TEST_SKIP_IFNDEF(CONFIG_WISP_TIMES);
#ifdef CONFIG_WISP_TIMES
	start(SLEEPS);
	k_sleep(K_MSEC(1000));
	wisp_app_times(HOT, &times);
	zassert_true(times.wakeups >= 10 && times.wakeups <= 60, "%u", times.wakeups);
	zassert_true(times.cpu_us * 10 < times.run_us * 3);
	zassert_true(times.host_us <= times.cpu_us);
	stop();
	wisp_app_times(HOT, &times);
	k_sleep(K_MSEC(200));
	/* Time goes on, and the figures of the run stay. */
	wisp_app_times(HOT, &later);
	zassert_mem_equal(&times, &later, sizeof(times));
	zassert_true(times.run_us > 0);
#endif
}
