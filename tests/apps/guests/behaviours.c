/* SPDX-License-Identifier: Apache-2.0 */

#include <stdint.h>
#include <stdio.h>
#include <wisp.h>

#include "behaviour.h"

#define TEST(name) __attribute__((import_module("test"), import_name(#name)))

TEST(behaviour) uint32_t behaviour(void);
TEST(report) void report(uint64_t value);
TEST(sum) uint32_t sum(uint32_t address, uint32_t length);
TEST(wide) uint64_t wide(uint32_t a, uint64_t b, double c);
TEST(fail) void fail(uint32_t trap);
TEST(wait) void wait(void);

static const uint8_t bytes[] = {1, 2, 3, 4, 5};

static volatile int zero;
static volatile int lowest = INT32_MIN;
static volatile int minus_one = -1;
static void (*volatile null_function)(void);

static __attribute__((noinline)) int recurse(int depth)
{
	volatile int here[8];

	here[depth & 7] = depth;
	return recurse(depth + 1) + here[depth & 7];
}

static __attribute__((noinline)) int innermost(int divisor)
{
	return 1000 / divisor;
}

static __attribute__((noinline)) int middle(int divisor)
{
	return innermost(divisor) + zero;
}

int main(void)
{
	switch (behaviour()) {
	case RETURN_ZERO:
		return 0;
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
	case RECURSE:
		return recurse(0);
	case SPIN:
		for (;;) {
			zero = 0;
		}
	case SLEEP:
		for (;;) {
			wisp_timer_sleep_ms(1000000);
		}
	case SPIN_IN_STEPS:
		for (uint64_t i = 0;; i++) {
			report(i);
			wisp_timer_sleep_ms(20);
		}
	case WIDE_VALUES:
		report(wide(3, 0x1122334455667788, 1.5));
		return 0;
	case SUM_INSIDE:
		report(sum((uint32_t)bytes, sizeof(bytes)));
		return 0;
	case SUM_OUTSIDE:
		report(sum(0x7fff0000, 4));
		return 0;
	case SUM_WRAPPING:
		report(sum((uint32_t)bytes, 0xfffffff0));
		return 0;
	case SUM_NOTHING:
		report(sum((uint32_t)bytes, 0));
		return 0;
	case HOST_TRAP:
		fail(14);
		return 1;
	case HOST_SLEEP:
		wait();
		return 1;
	case PRINT_AND_SLEEP:
		printf("printed, then asleep");
		wisp_timer_sleep_ms(1000000);
		return 1;
	case LOG_FLOOD:
		for (int i = 0; i < FLOOD_LINES; i++) {
			wisp_log_write_str(WISP_LOG_WARN, "flood");
		}
		return 0;
	case PRINT_FLOOD:
		for (int i = 0; i < FLOOD_LINES; i++) {
			printf("flood\n");
		}
		return 0;
	case ASK_FLOOD:
		/* Each refusal is a line of the runtime's. */
		for (int i = 0; i < FLOOD_LINES; i++) {
			(void)wisp_gpio_open_str("flood", WISP_GPIO_INPUT);
		}
		return 0;
	case TRAP_DEEP:
		return middle(zero) + zero;
	default:
		return 99;
	}
}
