/* SPDX-License-Identifier: Apache-2.0 */

/* What Zephyr has saved of a thread that a thread of higher priority has preempted. */

#ifndef WISP_NATIVE_PREEMPTED_H_
#define WISP_NATIVE_PREEMPTED_H_

#include <stdbool.h>
#include <stdint.h>

#include <zephyr/kernel.h>

/* Saved registers. Some can be written, before the thread goes on. */
struct wisp_preempted {
	uintptr_t *pc;
	/* The first argument, or result, of a function. */
	uintptr_t *argument;
	/* The return address. */
	uintptr_t returns;
	/* The registers in which the interpreter has its place, as struct wisp_registers says. */
	uintptr_t ip;
	uintptr_t fp;
	/* Its stack, the innermost word first. */
	const uintptr_t *stack;
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
	place->returns = frame->lr;
	place->ip = thread->callee_saved.v1;
	place->fp = thread->callee_saved.v2;
	/* Registers of an FPU may lie in between. */
	place->stack = (const uintptr_t *)(frame + 1);
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
	place->returns = frame->ra;
	/* The interrupt has saved s0, and the switch the others. */
	place->ip = frame->s0;
	place->fp = thread->callee_saved.s1;
	place->stack = (const uintptr_t *)(frame + 1);
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
