/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Functions that compilers for Arm call to copy and clear memory, implemented by the C library.
 * Without them, Rust's own versions are linked as well. The names with a number promise alignment,
 * which the C library does not need.
 */

#include <stddef.h>
#include <string.h>

void __aeabi_memcpy(void *to, const void *from, size_t length)
{
	memcpy(to, from, length);
}

void __aeabi_memmove(void *to, const void *from, size_t length)
{
	memmove(to, from, length);
}

void __aeabi_memset(void *to, size_t length, int value)
{
	memset(to, value, length);
}

void __aeabi_memclr(void *to, size_t length)
{
	memset(to, 0, length);
}

void __aeabi_memcpy4(void *to, const void *from, size_t length)
	__attribute__((alias("__aeabi_memcpy")));
void __aeabi_memcpy8(void *to, const void *from, size_t length)
	__attribute__((alias("__aeabi_memcpy")));
void __aeabi_memmove4(void *to, const void *from, size_t length)
	__attribute__((alias("__aeabi_memmove")));
void __aeabi_memmove8(void *to, const void *from, size_t length)
	__attribute__((alias("__aeabi_memmove")));
void __aeabi_memset4(void *to, size_t length, int value) __attribute__((alias("__aeabi_memset")));
void __aeabi_memset8(void *to, size_t length, int value) __attribute__((alias("__aeabi_memset")));
void __aeabi_memclr4(void *to, size_t length) __attribute__((alias("__aeabi_memclr")));
void __aeabi_memclr8(void *to, size_t length) __attribute__((alias("__aeabi_memclr")));
