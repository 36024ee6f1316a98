/* SPDX-License-Identifier: Apache-2.0 */

/*
 * System calls of native code and interpreters in user mode. Zephyr lets every user thread make
 * many system calls without a permission, among them all that open sockets. Threads that run an
 * app's code may make two: wisp_user_request(), and that with which z_thread_entry() of Zephyr asks
 * for the current thread where there is thread-local storage.
 *
 * The linker option --wrap puts the table below where the kernel's assembly reads that of Zephyr.
 * The registers that the assembly leaves the number of the call in are those of Zephyr 4.3, see
 * arch/arm/core/userspace.S and arch/riscv/core/isr.S.
 */

#include <zephyr/kernel.h>

#include <zephyr/internal/syscall_handler.h>
#include <zephyr/logging/log.h>
#include <zephyr/syscall_list.h>

#include "native/native.h"

LOG_MODULE_DECLARE(wisp, CONFIG_WISP_LOG_LEVEL);

uintptr_t z_mrsh_wisp_user_request(uintptr_t what, uintptr_t a, uintptr_t b, uintptr_t c,
				   uintptr_t d, uintptr_t e, void *ssf);
uintptr_t z_mrsh_k_sched_current_thread_query(uintptr_t a, uintptr_t b, uintptr_t c, uintptr_t d,
					      uintptr_t e, uintptr_t f, void *ssf);

/* Ends the current thread if it runs an app's code. Called by the assembly below. */
__used void wisp_user_refuse(void *ssf)
{
	const struct wisp_app *app = wisp_user_current();

	if (app != NULL) {
		LOG_ERR("%s: its code made a system call, which only the host may", app->name);
		arch_syscall_oops(ssf);
		CODE_UNREACHABLE;
	}
}

/* Goes on to the function that Zephyr has for the system call, with its registers and stack. */
static __attribute__((naked)) uintptr_t check(uintptr_t a, uintptr_t b, uintptr_t c, uintptr_t d,
					      uintptr_t e, uintptr_t f, void *ssf)
{
#ifdef CONFIG_CPU_CORTEX_M
	/* r6 is the number of the call times 4. The stack holds e, f and ssf. */
	__asm__ volatile(".syntax unified\n"
			 "push {r0-r3, r7, lr}\n"
			 "ldr r0, [sp, #32]\n"
			 "bl wisp_user_refuse\n"
			 "ldr r0, =__real__k_syscall_table\n"
			 "ldr r0, [r0, r6]\n"
			 "mov ip, r0\n"
			 "ldr r0, [sp, #20]\n"
			 "mov lr, r0\n"
			 "pop {r0-r3, r7}\n"
			 "add sp, #4\n"
			 "bx ip\n"
			 ".ltorg\n");
#else
	/* t0 is the number of the call. a0 to a6 are the arguments. */
	__asm__ volatile("addi sp, sp, -48\n"
			 "sw a0, 0(sp)\n"
			 "sw a1, 4(sp)\n"
			 "sw a2, 8(sp)\n"
			 "sw a3, 12(sp)\n"
			 "sw a4, 16(sp)\n"
			 "sw a5, 20(sp)\n"
			 "sw a6, 24(sp)\n"
			 "sw t0, 28(sp)\n"
			 "sw ra, 32(sp)\n"
			 "mv a0, a6\n"
			 "call wisp_user_refuse\n"
			 "lw a0, 0(sp)\n"
			 "lw a1, 4(sp)\n"
			 "lw a2, 8(sp)\n"
			 "lw a3, 12(sp)\n"
			 "lw a4, 16(sp)\n"
			 "lw a5, 20(sp)\n"
			 "lw a6, 24(sp)\n"
			 "lw t0, 28(sp)\n"
			 "lw ra, 32(sp)\n"
			 "addi sp, sp, 48\n"
			 "la t1, __real__k_syscall_table\n"
			 "slli t0, t0, 2\n"
			 "add t1, t1, t0\n"
			 "lw t1, 0(t1)\n"
			 "jr t1\n");
#endif
}

const _k_syscall_handler_t __wrap__k_syscall_table[K_SYSCALL_LIMIT] = {
	[0 ... K_SYSCALL_K_SCHED_CURRENT_THREAD_QUERY - 1] = check,
	[K_SYSCALL_K_SCHED_CURRENT_THREAD_QUERY] = z_mrsh_k_sched_current_thread_query,
	[K_SYSCALL_K_SCHED_CURRENT_THREAD_QUERY + 1 ... K_SYSCALL_WISP_USER_REQUEST - 1] = check,
	[K_SYSCALL_WISP_USER_REQUEST] = z_mrsh_wisp_user_request,
	[K_SYSCALL_WISP_USER_REQUEST + 1 ... K_SYSCALL_LIMIT - 1] = check,
};
