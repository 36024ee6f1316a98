/* SPDX-License-Identifier: Apache-2.0 */

#ifndef TESTS_USER_MODE_SUPPORT_H_
#define TESTS_USER_MODE_SUPPORT_H_

#include <wisp/wisp.h>

/* What hostile() tries. */
enum attack {
	BEHAVE,
	READ,
	WRITE,
	CALL,
	/* Has the host write where it may not, by slots or records that lie elsewhere. */
	SLOTS_ELSEWHERE,
	RESULT_ELSEWHERE,
	FORGED_MEMORY,
	FORGED_TABLES,
	WHAT_NOBODY_KNOWS,
	FORGED_TRAP,
	EXECUTE_DATA,
	STACK_ELSEWHERE,
	UNDEFINED_ELSEWHERE,
	/* Has the kernel find another thread where it looks for the current one. */
	FORGED_THREAD,
	FORGED_THREAD_FAULTS,
	STACK_OVERFLOW,
	GIVE_A_SEMAPHORE,
	END_A_THREAD,
	/* System calls that need no permission. */
	SLEEP,
	WRITE_TO_THE_CONSOLE,
	CALL_THAT_IS_NONE,
	OPEN_A_SOCKET,
	/* With an FPU. */
	READ_FLOATS,
	FLOATS_ELSEWHERE,
};

/* What it asks the firmware. */
enum question {
	ATTACK,
	TARGET,
	/* The registers of the FPU hold SECRET while the host answers. */
	FLOATS,
	/* It tells a number: that plus what it tells. */
	TELL = 1000,
};

#define SECRET 0x5ec2e700

#ifdef CONFIG_FPU
/*
 * Fills all registers of the FPU and leaves them so: the callers have no floats in those that a
 * function saves. The compiler does not know how long the assembly is.
 */
void fill_floats(uint32_t value);
#endif

extern const struct wisp_app app;
extern const struct wisp_app other;

/* The answers to ATTACK and TARGET, and what was told last. */
extern enum attack attack;
extern uintptr_t target;
extern uint32_t told;

/* How often the witness called. */
extern atomic_t alive;

/* When the guest `calls` called first and last, in cycles. */
extern uint32_t first_call;
extern uint32_t last_call;

/* Runs an image to its end. */
struct wisp_app_status run(const char *image);

#endif /* TESTS_USER_MODE_SUPPORT_H_ */
