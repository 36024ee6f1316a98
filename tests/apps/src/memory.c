/* SPDX-License-Identifier: Apache-2.0 */

#include <string.h>

#include <zephyr/kernel.h>
#include <zephyr/ztest.h>

/* Functions that Rust code calls on Arm. */
void __aeabi_memmove(void *to, const void *from, size_t length);
void __aeabi_memcpy(void *to, const void *from, size_t length);
void __aeabi_memset(void *to, size_t length, int value);
void __aeabi_memclr(void *to, size_t length);

#define SIZE 64
#define MOST 37

static uint8_t got[SIZE], expected[SIZE];

static void fill(void)
{
	for (size_t i = 0; i < SIZE; i++) {
		got[i] = i + 1;
		expected[i] = i + 1;
	}
}

ZTEST(memory, test_copies_are_right_wherever_they_begin_and_however_long_they_are)
{
	for (size_t length = 0; length <= MOST; length++) {
		for (size_t pair = 0; pair < 24 * 24; pair++) {
			size_t to = pair / 24, from = pair % 24;

			fill();
			for (size_t i = 0; i < length; i++) {
				expected[to + i] = from + i + 1;
			}
			__aeabi_memmove(got + to, got + from, length);
			zassert_mem_equal(got, expected, SIZE, "%zu to %zu, %zu", from, to, length);
			if (to + length <= from || from + length <= to) {
				fill();
				for (size_t i = 0; i < length; i++) {
					expected[to + i] = from + i + 1;
				}
				__aeabi_memcpy(got + to, got + from, length);
				zassert_mem_equal(got, expected, SIZE, "%zu to %zu, %zu", from, to,
						  length);
			}
		}
	}
}

ZTEST(memory, test_the_bytes_of_a_range_and_no_others_are_set)
{
	for (size_t length = 0; length <= MOST; length++) {
		for (size_t to = 0; to < 8; to++) {
			fill();
			memset(expected + to, 0, length);
			__aeabi_memclr(got + to, length);
			zassert_mem_equal(got, expected, SIZE, "at %zu, %zu", to, length);
			memset(expected + to, 0xa5, length);
			__aeabi_memset(got + to, length, 0x1a5);
			zassert_mem_equal(got, expected, SIZE, "at %zu, %zu", to, length);
		}
	}
}

ZTEST_SUITE(memory, NULL, NULL, NULL, NULL, NULL);
