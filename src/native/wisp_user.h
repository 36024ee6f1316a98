/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The system call of native code in user mode: the only way in which it reaches the host.
 * Zephyr's build makes the rest from the declaration.
 */

#ifndef WISP_NATIVE_WISP_USER_H_
#define WISP_NATIVE_WISP_USER_H_

#include <stdint.h>

#include <zephyr/kernel.h>

/* The first argument of the last call: the code has ended. The second says how. */
#define WISP_USER_ENDED UINTPTR_MAX

/*
 * Has the app's thread do something, and gives its result: the words mean what wisp_rust_serve()
 * says. Only threads that run an app's native code may call it.
 */
__syscall uint32_t wisp_user_request(uintptr_t what, uintptr_t a, uintptr_t b, uintptr_t c,
				     uintptr_t d, uintptr_t e);

/* What such a thread runs: the record, the slots, the function. */
void wisp_user_main(void *record, void *slots, void *function);

#include <zephyr/syscalls/wisp_user.h>

#endif /* WISP_NATIVE_WISP_USER_H_ */
