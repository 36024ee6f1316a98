/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The system call of native code in user mode, the only way to reach the host. Zephyr's build
 * generates the rest from the declaration.
 */

#ifndef WISP_NATIVE_WISP_USER_H_
#define WISP_NATIVE_WISP_USER_H_

#include <stdint.h>

#include <zephyr/kernel.h>

/*
 * First argument of the last call, which reports that the code has ended. The second argument says
 * how.
 */
#define WISP_USER_ENDED UINTPTR_MAX

/*
 * Makes the app's thread execute a request and returns its result. wisp_rust_serve() defines the
 * words. Only threads that run an app's native code may call it.
 */
__syscall uint32_t wisp_user_request(uintptr_t what, uintptr_t a, uintptr_t b, uintptr_t c,
				     uintptr_t d, uintptr_t e);

/* Entry of such a thread, with the record, the slots and the function. */
void wisp_user_main(void *record, void *slots, void *function);

#include <zephyr/syscalls/wisp_user.h>

#endif /* WISP_NATIVE_WISP_USER_H_ */
