/* SPDX-License-Identifier: Apache-2.0 */

#include <string.h>

/* With -mbulk-memory the builtins of the first three are single wasm instructions. */

void *memcpy(void *to, const void *from, size_t size)
{
	return __builtin_memcpy(to, from, size);
}

void *memmove(void *to, const void *from, size_t size)
{
	return __builtin_memmove(to, from, size);
}

void *memset(void *to, int byte, size_t size)
{
	return __builtin_memset(to, byte, size);
}

int memcmp(const void *a, const void *b, size_t size)
{
	const unsigned char *x = a;
	const unsigned char *y = b;

	for (; size > 0; size--, x++, y++) {
		if (*x != *y) {
			return *x - *y;
		}
	}
	return 0;
}

void *memchr(const void *data, int byte, size_t size)
{
	const unsigned char *x = data;

	for (; size > 0; size--, x++) {
		if (*x == (unsigned char)byte) {
			return (void *)x;
		}
	}
	return NULL;
}

/* -fno-builtin would be needed to keep clang from turning the loop into a call of itself. */
__attribute__((no_builtin("strlen"))) size_t strlen(const char *text)
{
	const char *end = text;

	while (*end != '\0') {
		end++;
	}
	return end - text;
}

size_t strnlen(const char *text, size_t most)
{
	size_t length = 0;

	while (length < most && text[length] != '\0') {
		length++;
	}
	return length;
}

int strcmp(const char *a, const char *b)
{
	while (*a != '\0' && *a == *b) {
		a++;
		b++;
	}
	return (unsigned char)*a - (unsigned char)*b;
}

int strncmp(const char *a, const char *b, size_t most)
{
	for (; most > 0; most--, a++, b++) {
		if (*a != *b || *a == '\0') {
			return (unsigned char)*a - (unsigned char)*b;
		}
	}
	return 0;
}

char *strchr(const char *text, int byte)
{
	for (;; text++) {
		if (*text == (char)byte) {
			return (char *)text;
		}
		if (*text == '\0') {
			return NULL;
		}
	}
}

char *strcpy(char *to, const char *from)
{
	return memcpy(to, from, strlen(from) + 1);
}
