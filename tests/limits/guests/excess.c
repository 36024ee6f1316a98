/* SPDX-License-Identifier: Apache-2.0 */

#include <stdint.h>
#include <string.h>
#include <wisp.h>

#include "excess.h"

#define TEST(name) __attribute__((import_module("test"), import_name(#name)))

TEST(excess) uint32_t excess(void);
TEST(depth) uint32_t depth(void);
TEST(report) void report(uint32_t value);
TEST(nothing) void nothing(void);

static volatile uint32_t count;
static volatile double quotient = 1e300;
static uint8_t large[1536];

static __attribute__((noinline)) uint32_t fib(uint32_t n)
{
	return (n < 2) ? n : fib(n - 1) + fib(n - 2);
}

static __attribute__((noinline)) uint32_t nest(uint32_t n)
{
	return (n <= 1) ? 1 : nest(n - 1) + (count != 77);
}

int main(void)
{
	switch (excess()) {
	case SPIN:
		for (;;) {
			count++;
		}
	case CALL_HOST:
		for (;;) {
			nothing();
		}
	case CALL_FUNCTIONS:
		for (;;) {
			count = fib(9);
		}
	case FILL_MEMORY:
		for (;;) {
			__builtin_memset(large, count++, sizeof(large));
			count += large[count % sizeof(large)];
		}
	case DIVIDE_FLOATS:
		for (;;) {
			quotient = quotient / 1.0000001;
			if (quotient < 1) {
				quotient = 1e300;
			}
		}
	case NEST:
		report(nest(depth()));
		return 0;
	case GROW:
		while (__builtin_wasm_memory_grow(0, 1) != (size_t)-1) {
			count++;
		}
		report(__builtin_wasm_memory_size(0));
		return 0;
	}
	return 1;
}
