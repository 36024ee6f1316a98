/* SPDX-License-Identifier: Apache-2.0 */

/* The border to rust/staticlib/src/selftest.rs. */

#ifndef TESTS_SPEC_SELFTEST_H_
#define TESTS_SPEC_SELFTEST_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct selftest_outcome {
	uint32_t passed;
	uint32_t failed;
	uint32_t skipped;
	uint32_t desk;
};

/*
 * Rust: plays a tape, by native code that takes up to so many bytes of stack, or by the
 * interpreter if that is 0; false if it cannot be read.
 */
bool selftest_play(const uint8_t *tape, size_t tape_size, uint64_t *arena, size_t arena_size,
		   bool large, uint32_t native_stack, struct selftest_outcome *outcome);

/* Rust: checks every form of every op in 4096 bytes; gives the number of ops. */
uint32_t selftest_forms(uint64_t *arena, uint32_t *failed);

/* C: heap and console. */
void *selftest_alloc(size_t size, size_t align);
void selftest_free(void *place);
void selftest_print(const char *text, size_t length);

#endif /* TESTS_SPEC_SELFTEST_H_ */
