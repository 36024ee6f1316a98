/* SPDX-License-Identifier: Apache-2.0 */

#include <stdint.h>
#include <wisp.h>

#include "tasks.h"

#define TEST(name) __attribute__((import_module("test"), import_name(#name)))

TEST(task) uint32_t task(void);
TEST(result) void result(uint64_t value);
TEST(twice) uint32_t twice(uint32_t value);

static uint32_t thrice(uint32_t value)
{
	return 3 * value;
}

static volatile int zero;
/* A function of the firmware and one of the guest, through the same table. */
static uint32_t (*volatile const functions[])(uint32_t) = {twice, thrice};
static uint64_t (*volatile const wrong)(void) = (uint64_t (*)(void))(void *)twice;

static void compute(void)
{
	volatile uint64_t divisor = 1000000007;
	uint64_t sum = 0;

	for (uint32_t i = 1; i <= 100; i++) {
		sum += UINT64_C(0x123456789abcdef) * i % divisor;
		sum += functions[i & 1](i);
	}
	result(sum);
}

/* A main() would bring a function of WASI for its status. */
__attribute__((export_name("_start"))) void _start(void)
{
	switch (task()) {
	case COMPUTE:
		wisp_timer_sleep_ms(5);
		compute();
		return;
	case OUT_OF_BOUNDS:
		*(volatile uint32_t *)0x7fffff00 = 1;
		return;
	case WRONG_TYPE:
		result(wrong());
		return;
	case SPIN:
		for (;;) {
			zero = 0;
		}
	case SLEEP:
		wisp_timer_sleep_ms(1000000);
		return;
	default:
		return;
	}
}
