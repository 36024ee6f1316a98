/* SPDX-License-Identifier: Apache-2.0 */

/* Tells that it lives, and computes until it is stopped. */

#include <stdint.h>

#define TEST(name) __attribute__((import_module("test"), import_name(#name)))

TEST(tick) uint32_t tick(uint32_t x);

int main(void)
{
	volatile uint32_t x = tick(0);

	while (x != 0) {
		x |= 1;
	}
	return 1;
}
