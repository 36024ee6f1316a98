/* SPDX-License-Identifier: Apache-2.0 */

/*
 * How long an app goes on after it was told to stop, from the request to the end of its
 * thread: in instructions, where the emulator counts them. Another app counts meanwhile.
 */

#include "support.h"

ZTEST_SUITE(bounds, NULL, NULL, NULL, NULL, NULL);

/* Requests for each kind of excess, each at another point of its loop, when it has long begun. */
#define STOPS 12

#ifdef CONFIG_QEMU_ICOUNT
#define INSTRUCTIONS(cycles) ((uint32_t)(k_cyc_to_ns_floor64(cycles) >> CONFIG_QEMU_ICOUNT_SHIFT))
#else
#define INSTRUCTIONS(cycles) 0
#endif

static const char *const names[] = {
	[SPIN] = "spins",
	[CALL_HOST] = "calls the host",
	[CALL_FUNCTIONS] = "calls functions",
	[FILL_MEMORY] = "fills memory",
	[DIVIDE_FLOATS] = "divides floats",
};

static uint32_t requested;

static void stop_now(struct k_timer *timer)
{
	requested = k_cycle_get_32();
	(void)wisp_app_stop(k_timer_user_data_get(timer));
}

static K_TIMER_DEFINE(stopper, stop_now, NULL);

static uint32_t measure(uint32_t microseconds)
{
	uint32_t cycles;
	struct wisp_app_status status;

	k_timer_user_data_set(&stopper, (void *)&loose);
	k_timer_start(&stopper, K_USEC(microseconds), K_NO_WAIT);
	zassert_ok(wisp_app_join(&loose, K_SECONDS(60)));
	cycles = k_cycle_get_32() - requested;
	wisp_app_status(&loose, &status);
	zassert_equal(status.state, WISP_APP_STOPPED, "state %d", status.state);
	return INSTRUCTIONS(cycles);
}

ZTEST(bounds, test_a_stop_takes_a_bounded_number_of_instructions)
{
	NEEDS_PREEMPTION();
	begin_counting();
	for (enum excess excess = SPIN; excess <= DIVIDE_FLOATS; excess++) {
		uint32_t most = 0;

		for (uint32_t i = 0; i < STOPS; i++) {
			begin(&loose, excess, 0);
			most = MAX(most, measure(50000 + i * 7300));
		}
		printk("bound: %s: %u instructions\n", names[excess], most);
		/* A second of the slowest board, and far above what doc/limits.md says. */
		zassert_true(most < 4000000);
	}
	end_counting();
}

ZTEST(bounds, test_a_start_function_stops_as_soon)
{
	uint32_t most = 0;

	NEEDS_PREEMPTION();
	for (uint32_t i = 0; i < STOPS; i++) {
		zassert_ok(wisp_app_load_embedded(&loose, "spin_in_start"));
		zassert_ok(wisp_app_start(&loose));
		most = MAX(most, measure(50000 + i * 7300));
	}
	printk("bound: spins in its start function: %u instructions\n", most);
	zassert_true(most < 4000000);
}
