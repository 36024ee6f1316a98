/* SPDX-License-Identifier: Apache-2.0 */

/* Registers that Zephyr has saved of a thread that a thread of higher priority has preempted. */

#ifndef WISP_NATIVE_PREEMPTED_H_
#define WISP_NATIVE_PREEMPTED_H_

#include <stdbool.h>
#include <stdint.h>

#include <zephyr/kernel.h>

#include "border/profile.h"

/* Saved registers. Some can be written, before the thread goes on. */
struct wisp_preempted {
	uintptr_t *pc;
	/* The first argument, or result, of a function. */
	uintptr_t *argument;
	/* Registers that a sample looks at. The words of the stack are not counted yet. */
	struct wisp_registers registers;
};

#if defined(CONFIG_CPU_CORTEX_M)

/* Frame that the processor stores on the stack of a thread at an exception. */
struct wisp_frame {
	uintptr_t r0, r1, r2, r3, r12, lr, pc, xpsr;
};

/* Returns false if the thread has no such registers. Then it is in the host. */
static inline bool wisp_preempted_find(struct k_thread *thread, struct wisp_preempted *place)
{
	struct wisp_frame *frame = (struct wisp_frame *)thread->callee_saved.psp;

	/* Threads are only switched in an exception, so the frame always exists. */
	place->pc = &frame->pc;
	place->argument = &frame->r0;
	place->registers = (struct wisp_registers){
		.pc = frame->pc,
		.returns = frame->lr,
		.ip = thread->callee_saved.v1,
		.fp = thread->callee_saved.v2,
		/* Registers of an FPU may lie in between. */
		.stack = (const uintptr_t *)(frame + 1),
	};
	return true;
}

#elif defined(CONFIG_RISCV)

extern void z_riscv_thread_start(void);

static inline bool wisp_preempted_find(struct k_thread *thread, struct wisp_preempted *place)
{
	struct arch_esf *frame = (struct arch_esf *)thread->callee_saved.sp;

	/* A thread that yielded has no such frame, and is in the host. */
	if (thread->callee_saved.ra != (unsigned long)z_riscv_thread_start) {
		return false;
	}
	place->pc = (uintptr_t *)&frame->mepc;
	place->argument = (uintptr_t *)&frame->a0;
	place->registers = (struct wisp_registers){
		.pc = frame->mepc,
		.returns = frame->ra,
		/* The interrupt has saved s0, and the switch the others. */
		.ip = frame->s0,
		.fp = thread->callee_saved.s1,
		.stack = (const uintptr_t *)(frame + 1),
	};
	return true;
}

#else

/* The simulator has no registers of threads, and no time passes there while a guest computes. */
static inline bool wisp_preempted_find(struct k_thread *thread, struct wisp_preempted *place)
{
	ARG_UNUSED(thread);
	ARG_UNUSED(place);
	return false;
}

#endif

#endif /* WISP_NATIVE_PREEMPTED_H_ */
