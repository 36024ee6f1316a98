/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * @brief The part of string.h that compilers and small guests call.
 */
#ifndef WISP_GUEST_STRING_H_
#define WISP_GUEST_STRING_H_

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

void *memcpy(void *to, const void *from, size_t size);
void *memmove(void *to, const void *from, size_t size);
void *memset(void *to, int byte, size_t size);
int memcmp(const void *a, const void *b, size_t size);
void *memchr(const void *data, int byte, size_t size);
size_t strlen(const char *text);
size_t strnlen(const char *text, size_t most);
int strcmp(const char *a, const char *b);
int strncmp(const char *a, const char *b, size_t most);
char *strchr(const char *text, int byte);
char *strcpy(char *to, const char *from);

#ifdef __cplusplus
}
#endif

#endif /* WISP_GUEST_STRING_H_ */
