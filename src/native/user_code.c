/* SPDX-License-Identifier: Apache-2.0 */

/* Code that runs in user mode beside native code. It is in flash and accesses only its stack. */

/* The thread is always a user thread, so the check at each call is left out. */
#define __ZEPHYR_USER__

#include "border/shim.h"
#include "native/wisp_user.h"

/*
 * Overwrites what other threads left in the registers of the FPU. From here on they are this
 * thread's, and exceptions save and restore them. A compiler that knew of s16 to s31 would first
 * store them on the stack, where the code finds them. wisp_user_main() returns to nobody that needs
 * them.
 */
static inline void clear_floats(void)
{
#if defined(CONFIG_CPU_CORTEX_M) && defined(CONFIG_FPU)
	__asm__ volatile(".irp n, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,"
			 "16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31\n"
			 "vmov s\\n, %0\n"
			 ".endr" ::"r"(0));
#endif
}

void wisp_user_main(void *record, void *slots, void *function)
{
	uint32_t trapped;

	clear_floats();
	trapped = wisp_native_enter(record, slots, function);

	(void)wisp_user_request(WISP_USER_ENDED, trapped, 0, 0, 0, 0);
}

uint32_t wisp_shim_user_request(uintptr_t what, uintptr_t a, uintptr_t b, uintptr_t c, uintptr_t d,
				uintptr_t e)
{
	return wisp_user_request(what, a, b, c, d, e);
}
