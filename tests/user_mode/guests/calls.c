/* SPDX-License-Identifier: Apache-2.0 */

/* Calls the host a thousand times. */

#include <stdint.h>

#define TEST(name) __attribute__((import_module("test"), import_name(#name)))

TEST(tick) uint32_t tick(uint32_t x);

int main(void)
{
	uint32_t x = 0;

	for (int i = 0; i < 1000; i++) {
		x = tick(x);
	}
	return x != 1000;
}
