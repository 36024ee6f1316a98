/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * @brief The part of stdio that a small guest needs, over WASI's fd_write.
 *
 * Prints integers, characters, strings and pointers with flags, width, precision and length. Does
 * not print floating point: a call with such an argument does not compile. A format that is made at
 * run time and has another conversion ends the guest with a message. wasi-libc has all of stdio.
 * Output is not buffered beyond one call. The host shows it line by line. Input and files do not
 * exist.
 */
#ifndef WISP_GUEST_STDIO_H_
#define WISP_GUEST_STDIO_H_

#include <stdarg.h>
#include <stddef.h>

#ifdef __cplusplus
#error "This stdio is for C: build a guest in C++ with wasi-libc (--libc wasi, LIBC wasi)"
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
/** Does nothing, because everything is written at once. @return 0 */
int fflush(FILE *stream);

/** @return characters written, or a negative number if writing failed */
__attribute__((format(printf, 1, 2))) int printf(const char *format, ...);
__attribute__((format(printf, 2, 3))) int fprintf(FILE *stream, const char *format, ...);
int vprintf(const char *format, va_list arguments);
int vfprintf(FILE *stream, const char *format, va_list arguments);

/** @return characters that a large enough buffer would hold, without the terminating zero */
__attribute__((format(printf, 3, 4))) int snprintf(char *buffer, size_t size, const char *format,
						   ...);
int vsnprintf(char *buffer, size_t size, const char *format, va_list arguments);

/* Is false for a floating-point argument, whose place in the arguments this stdio does not know. */
#define WISP_PRINTS(value)                                                                  _Generic((value), float: 0, double: 0, long double: 0, default: 1)
#define WISP_PRINTS_1(a)                                                                    WISP_PRINTS(a)
#define WISP_PRINTS_2(a, ...)                                                               (WISP_PRINTS(a) && WISP_PRINTS_1(__VA_ARGS__))
#define WISP_PRINTS_3(a, ...)                                                               (WISP_PRINTS(a) && WISP_PRINTS_2(__VA_ARGS__))
#define WISP_PRINTS_4(a, ...)                                                               (WISP_PRINTS(a) && WISP_PRINTS_3(__VA_ARGS__))
#define WISP_PRINTS_5(a, ...)                                                               (WISP_PRINTS(a) && WISP_PRINTS_4(__VA_ARGS__))
#define WISP_PRINTS_6(a, ...)                                                               (WISP_PRINTS(a) && WISP_PRINTS_5(__VA_ARGS__))
#define WISP_PRINTS_7(a, ...)                                                               (WISP_PRINTS(a) && WISP_PRINTS_6(__VA_ARGS__))
#define WISP_PRINTS_8(a, ...)                                                               (WISP_PRINTS(a) && WISP_PRINTS_7(__VA_ARGS__))
#define WISP_PRINTS_9(a, ...)                                                               (WISP_PRINTS(a) && WISP_PRINTS_8(__VA_ARGS__))
#define WISP_PRINTS_10(a, ...)                                                              (WISP_PRINTS(a) && WISP_PRINTS_9(__VA_ARGS__))
#define WISP_PRINTS_11(a, ...)                                                              (WISP_PRINTS(a) && WISP_PRINTS_10(__VA_ARGS__))
#define WISP_PRINTS_12(a, ...)                                                              (WISP_PRINTS(a) && WISP_PRINTS_11(__VA_ARGS__))
/* More arguments than these are not looked at. */
#define WISP_PRINTS_MANY(...)                                                               1
#define WISP_COUNTED(a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q, r, s, t, name, ...) name
#define WISP_ALL_PRINT(...)                                                                        \
	WISP_COUNTED(__VA_ARGS__, WISP_PRINTS_MANY, WISP_PRINTS_MANY, WISP_PRINTS_MANY,            \
		     WISP_PRINTS_MANY, WISP_PRINTS_MANY, WISP_PRINTS_MANY, WISP_PRINTS_MANY,       \
		     WISP_PRINTS_MANY, WISP_PRINTS_12, WISP_PRINTS_11, WISP_PRINTS_10,             \
		     WISP_PRINTS_9, WISP_PRINTS_8, WISP_PRINTS_7, WISP_PRINTS_6, WISP_PRINTS_5,    \
		     WISP_PRINTS_4, WISP_PRINTS_3, WISP_PRINTS_2, WISP_PRINTS_1)                   \
	(__VA_ARGS__)
#define WISP_PRINTABLE(...)                                                                        \
	((void)sizeof(struct {                                                                     \
		_Static_assert(WISP_ALL_PRINT(__VA_ARGS__),                                        \
			       "the small stdio prints no floating point: build the guest with "   \
			       "wasi-libc (--libc wasi, LIBC wasi)");                              \
		char none;                                                                         \
	}))
#define printf(...)   (WISP_PRINTABLE(__VA_ARGS__), (printf)(__VA_ARGS__))
#define fprintf(...)  (WISP_PRINTABLE(__VA_ARGS__), (fprintf)(__VA_ARGS__))
#define snprintf(...) (WISP_PRINTABLE(__VA_ARGS__), (snprintf)(__VA_ARGS__))

#endif /* WISP_GUEST_STDIO_H_ */
