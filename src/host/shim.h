/* SPDX-License-Identifier: Apache-2.0 */

/*
 * What the Rust side may ask of Zephyr. bindgen reads this header and nothing of
 * Zephyr's, so it includes only what a freestanding compiler has.
 */

#ifndef WISP_SRC_HOST_SHIM_H_
#define WISP_SRC_HOST_SHIM_H_

#include <stddef.h>
#include <stdint.h>

/* Ends the firmware: a bug in the runtime. The text is not NUL-terminated. */
_Noreturn void wisp_shim_panic(const char *file, size_t length, uint32_t line);

#endif /* WISP_SRC_HOST_SHIM_H_ */
