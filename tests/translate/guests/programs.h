/* SPDX-License-Identifier: Apache-2.0 */

/* Programs that the guest runs, and that the firmware runs natively to know the right values. */

#ifndef TESTS_TRANSLATE_PROGRAMS_H_
#define TESTS_TRANSLATE_PROGRAMS_H_

#include <stdint.h>

#include "tasks.h"

#define SEPARATELY __attribute__((noinline))

static inline uint64_t remainders(uint32_t (*const volatile *functions)(uint32_t))
{
	volatile uint64_t divisor = 1000000007;
	uint64_t sum = 0;

	for (uint32_t i = 1; i <= 100; i++) {
		sum += UINT64_C(0x123456789abcdef) * i % divisor;
		sum += functions[i & 1](i);
	}
	return sum;
}

static SEPARATELY void quicksort(int16_t *values, int count)
{
	int16_t pivot;
	int low = 0;
	int high = count - 1;

	if (count < 2) {
		return;
	}
	pivot = values[count / 2];
	while (low <= high) {
		while (values[low] < pivot) {
			low++;
		}
		while (values[high] > pivot) {
			high--;
		}
		if (low <= high) {
			int16_t value = values[low];

			values[low++] = values[high];
			values[high--] = value;
		}
	}
	quicksort(values, high + 1);
	quicksort(values + low, count - low);
}

static inline uint64_t sorted(void)
{
	static int16_t values[200];
	uint32_t seed = 12345;
	uint64_t sum = 0;

	for (int i = 0; i < 200; i++) {
		seed = seed * 1103515245u + 12345u;
		values[i] = (int16_t)(seed >> 16);
	}
	quicksort(values, 200);
	for (int i = 0; i < 200; i++) {
		sum = sum * 31 + (uint64_t)(int64_t)values[i];
	}
	return sum;
}

static inline uint64_t checksum(void)
{
	static uint8_t bytes[257];
	uint32_t crc = 0xffffffff;

	for (int i = 0; i < 257; i++) {
		bytes[i] = (uint8_t)(i * 7 + (i >> 3));
	}
	for (int i = 0; i < 257; i++) {
		crc ^= bytes[i];
		for (int bit = 0; bit < 8; bit++) {
			crc = (crc >> 1) ^ ((crc & 1) ? 0xedb88320 : 0);
		}
	}
	return crc;
}

static SEPARATELY uint32_t fibonacci(uint32_t n)
{
	return (n < 2) ? n : fibonacci(n - 1) + fibonacci(n - 2);
}

static inline uint64_t floats(void)
{
	volatile double x = 2;
	volatile float y = 3;

	for (int i = 0; i < 20; i++) {
		x = x / 2 + 1 / x;
		y = y * 1.25f - 0.5f;
	}
	return (uint64_t)(x * 1e12) + (uint64_t)(uint32_t)(y * 256.0f);
}

/* Calls of memory functions become bulk memory operations. */
static inline uint64_t text(void)
{
	static char buffer[96];
	uint64_t sum = 0;

	__builtin_memset(buffer, 'a', sizeof(buffer));
	for (int i = 1; i < 40; i++) {
		buffer[i] = (char)('a' + i % 26);
		__builtin_memmove(buffer + i % 5, buffer + i % 7, 80);
	}
	for (int i = 0; i < 96; i++) {
		sum = (sum << 7 | sum >> 57) ^ (uint8_t)buffer[i];
	}
	return sum;
}

static inline uint64_t run_program(enum task task, uint32_t (*const volatile *functions)(uint32_t))
{
	switch (task) {
	case REMAINDERS:
		return remainders(functions);
	case SORT:
		return sorted();
	case CHECKSUM:
		return checksum();
	case FIBONACCI:
		return fibonacci(15);
	case FLOATS:
		return floats();
	default:
		return text();
	}
}

#endif /* TESTS_TRANSLATE_PROGRAMS_H_ */
