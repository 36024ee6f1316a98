/* SPDX-License-Identifier: Apache-2.0 */

/* Part of shim.h: the profile of an app. rust/host/src/profile.rs describes its words. */

#ifndef WISP_BORDER_PROFILE_H_
#define WISP_BORDER_PROFILE_H_

#include <stddef.h>
#include <stdint.h>

/* Words of a profile in front of its nodes, of which each has WISP_PROFILE_NODE words. */
#define WISP_PROFILE_HEAD 8
#define WISP_PROFILE_NODE 3

/* Frames of a sample at most. */
#define WISP_PROFILE_FRAMES 16

/* Registers of a thread that was preempted, 0 where they are not known. */
struct wisp_registers {
	uintptr_t pc;
	uintptr_t returns;
	/* The registers in which the interpreter has its place: r4 and r5 on Arm, s0 and s1 on
	 * RISC-V.
	 */
	uintptr_t ip;
	uintptr_t fp;
	/* Words of its stack, the innermost first. */
	const uintptr_t *stack;
	size_t words;
};

/* A frame: the index of a function, and the code offset, or UINT32_MAX if it is not known. */
struct wisp_place {
	uint32_t function;
	uint32_t offset;
};

/* Rust: begins a profile of an image in a buffer. */
void wisp_rust_profile_begin(uint32_t *words, size_t count, const uint8_t *image, size_t size);

/*
 * Rust: finds where the guest of the run with this stop flag stands, whose thread was preempted
 * with these registers. Returns the number of frames, the innermost first. The thread must not run
 * meanwhile.
 */
size_t wisp_rust_profile_look(void *stop_flag, const struct wisp_registers *registers,
			      struct wisp_place *places);

/* Rust: counts a sample with these frames, and returns the bytes that the profile has now. */
size_t wisp_rust_profile_count(uint32_t *words, size_t count, const struct wisp_place *places,
			       size_t frames);

/* Rust: adds to the times that the timer has expired. */
void wisp_rust_profile_ticks(uint32_t *words, size_t count, uint32_t ticks);

#endif /* WISP_BORDER_PROFILE_H_ */
