/* SPDX-License-Identifier: Apache-2.0 */

/*
 * A function of Linux with which Rust's code for x86 with 32 bits compares memory. Zephyr's
 * minimal C library has memcmp() only, which may stand in for it.
 */

#include <string.h>

#include <zephyr/toolchain.h>

__weak int bcmp(const void *a, const void *b, size_t length)
{
	return memcmp(a, b, length);
}
