/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file What the corpus' programs in C share: their entry, a checksum, text, and a heap of blocks one behind the other.
 */
#ifndef CORPUS_H_
#define CORPUS_H_

#include <stddef.h>
#include <stdint.h>

#if defined(__wasm__)
#define ENTRY __attribute__((export_name("run"))) uint32_t run(uint32_t n)
#else
#define ENTRY __attribute__((noinline, used)) uint32_t RUN(uint32_t n)
#endif

/* Ends the program when a result is wrong. */
#define CHECK(condition)                                                                           \
	do {                                                                                       \
		if (!(condition)) {                                                                \
			__builtin_trap();                                                          \
		}                                                                                  \
	} while (0)

/* Mixes bytes into a checksum. */
static inline uint32_t mix(uint32_t sum, const void *bytes, size_t size)
{
	const uint8_t *at = bytes;

	while (size-- != 0) {
		sum = (sum << 5 | sum >> 27) ^ (sum + *at++);
	}
	return sum;
}

/* Fills a buffer with lines as a device logs them. */
static inline void write_log(uint8_t *text, size_t size)
{
	static const char *const lines[] = {"sensor: temperature ", "net: packet from 10.0.0.",
					    "sensor: humidity ", "power: battery at "};
	uint32_t state = 1;
	size_t at = 0;

	while (at < size) {
		uint32_t value;
		const char *line;

		state = state * 1664525u + 1013904223u;
		value = state >> 16 & 0x3ff;
		for (line = lines[state >> 30]; *line != '\0' && at < size; line++) {
			text[at++] = (uint8_t)*line;
		}
		for (; value != 0 && at < size; value /= 10) {
			text[at++] = (uint8_t)('0' + value % 10);
		}
		if (at < size) {
			text[at++] = '\n';
		}
	}
}

#endif
