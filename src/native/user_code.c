/* SPDX-License-Identifier: Apache-2.0 */

/* Code that runs in user mode beside native code. It is in flash and accesses only its stack. */

/* The thread is always a user thread, so the check at each call is left out. */
#define __ZEPHYR_USER__

#include "border/shim.h"
#include "native/wisp_user.h"

void wisp_user_main(void *record, void *slots, void *function)
{
	uint32_t trapped = wisp_native_enter(record, slots, function);

	(void)wisp_user_request(WISP_USER_ENDED, trapped, 0, 0, 0, 0);
}

uint32_t wisp_shim_user_request(uintptr_t what, uintptr_t a, uintptr_t b, uintptr_t c, uintptr_t d,
				uintptr_t e)
{
	return wisp_user_request(what, a, b, c, d, e);
}
