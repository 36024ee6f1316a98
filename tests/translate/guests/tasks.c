/* SPDX-License-Identifier: Apache-2.0 */

#include <stdint.h>
#include <wisp.h>

#include "programs.h"

#define TEST(name) __attribute__((import_module("test"), import_name(#name)))

TEST(task) uint32_t task(void);
TEST(result) void result(uint64_t value);
TEST(twice) uint32_t twice(uint32_t value);

static SEPARATELY uint32_t thrice(uint32_t value)
{
	return 3 * value;
}

static volatile uint32_t zero;
/* A function of the firmware and one of the guest, through the same table. */
static uint32_t (*volatile const functions[])(uint32_t) = {twice, thrice};

static SEPARATELY uint32_t trap(enum task chosen)
{
	uint32_t (*function)(uint32_t) = functions[1];

	switch (chosen) {
	case OUT_OF_BOUNDS:
		*(volatile uint32_t *)(zero + 0x7fffff00) = 1;
		break;
	case DIVIDE:
		return 1000000007 / zero;
	case WRONG_TYPE:
		((uint64_t (*)(uint64_t, uint32_t))function)(1, 2);
		break;
	default:
		__builtin_trap();
	}
	return zero;
}

static SEPARATELY uint32_t middle(enum task chosen)
{
	return trap(chosen) + 1;
}

static SEPARATELY uint32_t recurse(uint32_t depth)
{
	uint32_t inner = recurse(depth + 1);

	/* Read after the call, so that the compiler makes no loop of it. */
	return inner + zero;
}

/* A main() would bring a function of WASI for its status. */
__attribute__((export_name("_start"))) void _start(void)
{
	enum task chosen = task();

	if (chosen < PROGRAMS) {
		result(run_program(chosen, functions));
	} else if (chosen < TRAPS) {
		result(middle(chosen));
	} else if (chosen == RECURSE) {
		result(recurse(zero));
	} else {
		for (;;) {
			zero = 0;
		}
	}
}
