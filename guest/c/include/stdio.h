/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * @brief The part of stdio that a small guest needs, over WASI's fd_write.
 *
 * Integers, characters, strings and pointers with flags, width, precision and length; no floating
 * point: an unknown conversion is printed as it stands. Not buffered beyond one call; the host
 * shows output line by line. Input and files do not exist.
 */
#ifndef WISP_GUEST_STDIO_H_
#define WISP_GUEST_STDIO_H_

#include <stdarg.h>
#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

#define EOF (-1)

/** A stream: only the two below exist. */
typedef struct wisp_file FILE;
extern FILE *const stdout;
extern FILE *const stderr;
/* The standard wants macros of these names. */
#define stdout stdout
#define stderr stderr

/** Writes one character. @return the character, or EOF */
int putchar(int c);
int fputc(int c, FILE *stream);
/** Writes a string and a line end. @return 0 or more, or EOF */
int puts(const char *text);
/** Writes a string. @return 0 or more, or EOF */
int fputs(const char *text, FILE *stream);
/** Writes count objects. @return how many were written: all or none */
size_t fwrite(const void *data, size_t size, size_t count, FILE *stream);
/** Everything is written at once; does nothing. @return 0 */
int fflush(FILE *stream);

/** @return characters written, or a negative number if writing failed */
__attribute__((format(printf, 1, 2))) int printf(const char *format, ...);
__attribute__((format(printf, 2, 3))) int fprintf(FILE *stream, const char *format, ...);
int vprintf(const char *format, va_list arguments);
int vfprintf(FILE *stream, const char *format, va_list arguments);

/** @return characters that a large enough buffer would hold, without the terminating zero */
__attribute__((format(printf, 3, 4))) int snprintf(char *buffer, size_t size, const char *format, ...);
int vsnprintf(char *buffer, size_t size, const char *format, va_list arguments);

#ifdef __cplusplus
}
#endif

#endif /* WISP_GUEST_STDIO_H_ */
