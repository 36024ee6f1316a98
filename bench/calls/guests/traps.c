/* SPDX-License-Identifier: Apache-2.0 */

/* Traps in the innermost of three calls. The firmware says what fills its memory. */

#include <stdint.h>

__attribute__((import_module("bench:clock@1"), import_name("fill"))) int32_t fill(void);

static volatile uint8_t bytes[2048];

static __attribute__((noinline)) int32_t third(int32_t x)
{
	if (x != 0) {
		__builtin_trap();
	}
	return x;
}

static __attribute__((noinline)) int32_t second(int32_t x)
{
	return third(x) + 1;
}

int main(void)
{
	int32_t value = fill();

	for (uint32_t i = 0; i < sizeof(bytes); i++) {
		bytes[i] = (uint8_t)value;
	}
	return second(1) + 1;
}
