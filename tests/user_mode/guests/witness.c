/* SPDX-License-Identifier: Apache-2.0 */

/* Tells that it lives, until it is stopped. What it keeps in its memory stays as it is. */

#include <stdint.h>

#define TEST(name) __attribute__((import_module("test"), import_name(#name)))

TEST(alive) void alive(uint32_t count);

static volatile uint32_t kept[64];

int main(void)
{
	for (uint32_t i = 0; i < 64; i++) {
		kept[i] = i;
	}
	for (uint32_t count = 1;; count++) {
		for (uint32_t i = 0; i < 64; i++) {
			if (kept[i] != i) {
				return 1;
			}
		}
		alive(count);
	}
}
