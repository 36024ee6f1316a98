/* SPDX-License-Identifier: Apache-2.0 */

#include <stdint.h>
#include <string.h>
#include <wisp.h>

#include "tasks.h"

#define TEST(name) __attribute__((import_module("test"), import_name(#name)))

TEST(task) uint32_t task(void);
TEST(report) void report(uint32_t value);
TEST(fail) void fail(uint32_t trap);

static volatile int zero;
static volatile int lowest = INT32_MIN;
static volatile int minus_one = -1;
static void (*volatile null_function)(void);
static int (*volatile other_function)(int, int) = (int (*)(int, int))(void *)report;

static __attribute__((noinline)) int recurse(int depth)
{
	volatile int here[2];

	here[depth & 1] = depth;
	return recurse(depth + 1) + here[depth & 1];
}

/* In calls of a recursion that go on after it. */
static int divide_below(int depth)
{
	return (depth == 0 ? 1000 / zero : divide_below(depth - 1)) + zero;
}

/* In a function of its own, so that its number differs from that of main. */
static __attribute__((noinline)) void spin(void)
{
	for (;;) {
		zero = 0;
	}
}

static __attribute__((noinline)) void spin_on_floats(void)
{
	volatile double x = 1.5;

	for (;;) {
		x = x / 1.25 + 0.75;
	}
}

static __attribute__((noinline)) void spin_on_singles(void)
{
	volatile float x = 1.5f;

	for (;;) {
		x = x * 0.75f + 0.25f;
	}
}

static __attribute__((noinline)) void spin_on_divisions(void)
{
	volatile uint64_t x = 1;

	for (;;) {
		x = UINT64_MAX / (x | 3);
	}
}

/* Nearly all of the time is spent in the helper: 1 KB at a time. */
static uint8_t block[1024];

static __attribute__((noinline)) void spin_on_copies(void)
{
	for (;;) {
		memmove(block, block + 1, sizeof(block) - 1);
	}
}

static __attribute__((noinline)) void spin_on_fills(void)
{
	for (;;) {
		memset(block, zero, sizeof(block));
	}
}

/* The host function gets its values in registers and does not look whether the app is to stop. */
static __attribute__((noinline)) void spin_on_clock(void)
{
	for (;;) {
		zero = (int)(wisp_timer_uptime_us() >> 63);
	}
}

static volatile uint8_t bytes[24];

/* Accesses that promise to be aligned and are not: the processor may not like them. */
static __attribute__((noinline)) int odd_addresses(void)
{
	for (unsigned int i = 0; i < 4; i++) {
		volatile uint8_t *at = &bytes[i];

		*(volatile uint32_t *)at = 0x44332211;
		*(volatile uint64_t *)(at + 4) = 0x8877665544332211;
		*(volatile uint16_t *)(at + 12) = 0xbbaa;
		if (at[0] != 0x11 || at[1] != 0x22 || at[2] != 0x33 || at[3] != 0x44 ||
		    at[4] != 0x11 || at[7] != 0x44 || at[8] != 0x55 || at[11] != 0x88 ||
		    at[12] != 0xaa || at[13] != 0xbb) {
			return 1;
		}
		if (*(volatile uint32_t *)(at + 1) != 0x11443322 ||
		    *(volatile uint64_t *)(at + 3) != 0x7766554433221144 ||
		    *(volatile uint16_t *)(at + 7) != 0x5544) {
			return 2;
		}
	}
	return 7;
}

int main(void)
{
	switch (task()) {
	case RETURN_SEVEN:
		return 7;
	case EXIT_WITH_NINE:
		wisp_wasi_proc_exit(9);
	case UNREACHABLE:
		__builtin_trap();
	case OUT_OF_BOUNDS:
		*(volatile uint32_t *)0x7fffff00 = 1;
		return 1;
	case DIVIDE_BY_ZERO:
		return 1000 / zero;
	case OVERFLOW:
		return lowest / minus_one;
	case CALL_NULL:
		null_function();
		return 1;
	case WRONG_TYPE:
		return other_function(1, 2);
	case HOST_TRAP:
		fail(14);
		return 1;
	case DIVIDE_BELOW:
		return divide_below(4);
	case RECURSE:
		return recurse(0);
	case SPIN:
		spin();
	case SPIN_ON_FLOATS:
		spin_on_floats();
	case SPIN_ON_SINGLES:
		spin_on_singles();
	case SPIN_ON_DIVISIONS:
		spin_on_divisions();
	case SPIN_ON_COPIES:
		spin_on_copies();
	case SPIN_ON_FILLS:
		spin_on_fills();
	case SPIN_ON_CLOCK:
		spin_on_clock();
	case SPIN_ON_HOST:
		for (;;) {
			report(1);
		}
	case SLEEP:
		wisp_timer_sleep_ms(1000000);
		return 1;
	case ODD_ADDRESSES:
		return odd_addresses();
	default:
		return 99;
	}
}
