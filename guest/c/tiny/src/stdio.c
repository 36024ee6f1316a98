/* SPDX-License-Identifier: Apache-2.0 */

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <wisp.h>

#undef stdout
#undef stderr
/* The macros of the header check the arguments of calls. */
#undef printf
#undef fprintf
#undef snprintf

struct wisp_file {
	uint32_t fd;
};

static struct wisp_file out = {WISP_WASI_STDOUT};
static struct wisp_file err = {WISP_WASI_STDERR};

FILE *const stdout = &out;
FILE *const stderr = &err;

struct iovec {
	const void *data;
	uint32_t size;
};

static int write_all(FILE *stream, const char *data, size_t size)
{
	struct iovec vector = {data, size};
	uint32_t written;

	/* The host takes all or fails. */
	return wisp_wasi_fd_write(stream->fd, &vector, 1, &written) == 0 ? 0 : EOF;
}

/* Where formatted text goes: a caller's buffer, or a stream in pieces. */
struct sink {
	char *buffer;
	size_t size;
	/* NULL for a caller's buffer, which is never emptied. */
	FILE *stream;
	size_t used;
	int total;
	bool failed;
};

static void flush(struct sink *sink)
{
	if (sink->used > 0 && write_all(sink->stream, sink->buffer, sink->used) != 0) {
		sink->failed = true;
	}
	sink->used = 0;
}

static void put(struct sink *sink, char c)
{
	if (sink->stream != NULL && sink->used == sink->size) {
		flush(sink);
	}
	if (sink->used < sink->size) {
		sink->buffer[sink->used++] = c;
	}
	sink->total++;
}

/* One conversion of a format. */
struct spec {
	bool left;
	bool zero;
	bool plus;
	bool space;
	bool alternate;
	/* A wide character or string, which is not printed. */
	bool wide;
	int width;
	/* Negative for none. */
	int precision;
	/* Bytes of an integer argument. */
	size_t bytes;
};

static void pad(struct sink *sink, char c, int count)
{
	for (; count > 0; count--) {
		put(sink, c);
	}
}

static void put_text(struct sink *sink, const struct spec *spec, const char *text, int length)
{
	pad(sink, ' ', spec->left ? 0 : spec->width - length);
	for (int i = 0; i < length; i++) {
		put(sink, text[i]);
	}
	pad(sink, ' ', spec->left ? spec->width - length : 0);
}

static void put_number(struct sink *sink, const struct spec *spec, uint64_t value,
		       const char *prefix, unsigned int base, const char *digits)
{
	/* Octal of 64 bits. */
	char text[22];
	int length = 0;
	int prefix_length = (int)strlen(prefix);
	int zeros;

	for (; value != 0; value /= base) {
		text[length++] = digits[value % base];
	}
	zeros = (spec->precision < 0 ? 1 : spec->precision) - length;
	if (zeros < 0) {
		zeros = 0;
	}
	if (spec->zero && !spec->left && spec->precision < 0 &&
	    spec->width > prefix_length + zeros + length) {
		zeros = spec->width - prefix_length - length;
	}
	pad(sink, ' ', spec->left ? 0 : spec->width - prefix_length - zeros - length);
	for (const char *c = prefix; *c != '\0'; c++) {
		put(sink, *c);
	}
	pad(sink, '0', zeros);
	for (int i = length; i > 0; i--) {
		put(sink, text[i - 1]);
	}
	pad(sink, ' ', spec->left ? spec->width - prefix_length - zeros - length : 0);
}

/* With '#' the first digit is a zero, which the precision may give. */
static void put_octal(struct sink *sink, struct spec *spec, uint64_t value)
{
	bool prefix = spec->alternate && spec->precision < 0 && value != 0;
	int digits = 1;

	for (uint64_t rest = value; rest != 0; rest /= 8) {
		digits++;
	}
	if (spec->alternate && spec->precision >= 0 && spec->precision < digits) {
		spec->precision = digits;
	}
	put_number(sink, spec, value, prefix ? "0" : "", 8, "01234567");
}

static uint64_t get_unsigned(size_t bytes, va_list *arguments)
{
	uint64_t value = bytes > 4 ? va_arg(*arguments, uint64_t) : va_arg(*arguments, uint32_t);

	/* A narrower argument was promoted. */
	return bytes < 4 ? value & ((1u << (8 * bytes)) - 1) : value;
}

static int64_t get_signed(size_t bytes, va_list *arguments)
{
	int64_t value = bytes > 4 ? va_arg(*arguments, int64_t) : va_arg(*arguments, int32_t);

	switch (bytes) {
	case 1:
		return (int8_t)value;
	case 2:
		return (int16_t)value;
	default:
		return value;
	}
}

static const char *parse_number(const char *format, int *number, va_list *arguments)
{
	*number = 0;
	if (*format == '*') {
		*number = va_arg(*arguments, int);
		return format + 1;
	}
	for (; *format >= '0' && *format <= '9'; format++) {
		/* Wider than this is a mistake. It must not overflow. */
		if (*number < 10000) {
			*number = *number * 10 + (*format - '0');
		}
	}
	return format;
}

/* Parses what stands between the percent sign and the conversion's letter. */
static const char *parse_spec(const char *format, struct spec *spec, va_list *arguments)
{
	*spec = (struct spec){.precision = -1, .bytes = 4};
	for (;; format++) {
		switch (*format) {
		case '-':
			spec->left = true;
			continue;
		case '0':
			spec->zero = true;
			continue;
		case '+':
			spec->plus = true;
			continue;
		case ' ':
			spec->space = true;
			continue;
		case '#':
			spec->alternate = true;
			continue;
		default:
			break;
		}
		break;
	}
	format = parse_number(format, &spec->width, arguments);
	if (spec->width < 0) {
		spec->left = true;
		spec->width = -spec->width;
	}
	if (*format == '.') {
		format = parse_number(format + 1, &spec->precision, arguments);
	}
	for (;; format++) {
		switch (*format) {
		case 'h':
			spec->bytes /= 2;
			continue;
		case 'l':
			/* long has 4 bytes on wasm32, long long 8. */
			spec->wide = true;
			if (format[1] == 'l') {
				spec->bytes = 8;
				format++;
			}
			continue;
		case 'j':
			spec->bytes = 8;
			continue;
		case 'z':
		case 't':
			continue;
		default:
			return format;
		}
	}
}

static void put_signed(struct sink *sink, const struct spec *spec, int64_t value)
{
	const char *prefix = value < 0 ? "-" : spec->plus ? "+" : spec->space ? " " : "";
	/* Negation of the least number is defined for unsigned ones. */
	uint64_t magnitude = value < 0 ? -(uint64_t)value : (uint64_t)value;

	put_number(sink, spec, magnitude, prefix, 10, "0123456789");
}

/* Ends the guest: what follows would be printed from the wrong argument. */
static _Noreturn void refuse(struct sink *sink, const char *start, const char *end)
{
	static const char text[] =
		"printf: no conversion like this in the small stdio, link with wasi-libc: ";

	if (sink->stream != NULL) {
		flush(sink);
	}
	write_all(stderr, text, sizeof(text) - 1);
	write_all(stderr, start, (size_t)(end - start) + (*end != '\0'));
	write_all(stderr, "\n", 1);
	__builtin_trap();
}

static void format_all(struct sink *sink, const char *format, va_list *arguments)
{
	static const char lower[] = "0123456789abcdef";
	static const char upper[] = "0123456789ABCDEF";

	for (; *format != '\0'; format++) {
		const char *start = format;
		struct spec spec;
		const char *text;
		uint64_t value;
		char c;

		if (*format != '%') {
			put(sink, *format);
			continue;
		}
		format = parse_spec(format + 1, &spec, arguments);
		if (spec.wide && (*format == 'c' || *format == 's')) {
			refuse(sink, start, format);
		}
		switch (*format) {
		case 'd':
		case 'i':
			put_signed(sink, &spec, get_signed(spec.bytes, arguments));
			break;
		case 'u':
			value = get_unsigned(spec.bytes, arguments);
			put_number(sink, &spec, value, "", 10, lower);
			break;
		case 'o':
			put_octal(sink, &spec, get_unsigned(spec.bytes, arguments));
			break;
		case 'x':
			value = get_unsigned(spec.bytes, arguments);
			put_number(sink, &spec, value, spec.alternate && value != 0 ? "0x" : "", 16,
				   lower);
			break;
		case 'X':
			value = get_unsigned(spec.bytes, arguments);
			put_number(sink, &spec, value, spec.alternate && value != 0 ? "0X" : "", 16,
				   upper);
			break;
		case 'p':
			put_number(sink, &spec, (uintptr_t)va_arg(*arguments, void *), "0x", 16,
				   lower);
			break;
		case 'c':
			c = (char)va_arg(*arguments, int);
			put_text(sink, &spec, &c, 1);
			break;
		case 's':
			text = va_arg(*arguments, const char *);
			text = text != NULL ? text : "(null)";
			put_text(sink, &spec, text,
				 (int)(spec.precision < 0 ? strlen(text)
							  : strnlen(text, (size_t)spec.precision)));
			break;
		case '%':
			put(sink, '%');
			break;
		default:
			refuse(sink, start, format);
		}
	}
}

int vsnprintf(char *buffer, size_t size, const char *format, va_list arguments)
{
	struct sink sink = {.buffer = buffer, .size = size > 0 ? size - 1 : 0};
	va_list copy;

	va_copy(copy, arguments);
	format_all(&sink, format, &copy);
	va_end(copy);
	if (size > 0) {
		buffer[sink.used] = '\0';
	}
	return sink.total;
}

int vfprintf(FILE *stream, const char *format, va_list arguments)
{
	char buffer[64];
	struct sink sink = {.buffer = buffer, .size = sizeof(buffer), .stream = stream};
	va_list copy;

	va_copy(copy, arguments);
	format_all(&sink, format, &copy);
	va_end(copy);
	flush(&sink);
	return sink.failed ? EOF : sink.total;
}

int vprintf(const char *format, va_list arguments)
{
	return vfprintf(stdout, format, arguments);
}

int snprintf(char *buffer, size_t size, const char *format, ...)
{
	va_list arguments;
	int total;

	va_start(arguments, format);
	total = vsnprintf(buffer, size, format, arguments);
	va_end(arguments);
	return total;
}

int fprintf(FILE *stream, const char *format, ...)
{
	va_list arguments;
	int total;

	va_start(arguments, format);
	total = vfprintf(stream, format, arguments);
	va_end(arguments);
	return total;
}

int printf(const char *format, ...)
{
	va_list arguments;
	int total;

	va_start(arguments, format);
	total = vfprintf(stdout, format, arguments);
	va_end(arguments);
	return total;
}

int fputc(int c, FILE *stream)
{
	char byte = (char)c;

	return write_all(stream, &byte, 1) == 0 ? (unsigned char)byte : EOF;
}

int putchar(int c)
{
	return fputc(c, stdout);
}

int fputs(const char *text, FILE *stream)
{
	return write_all(stream, text, strlen(text));
}

int puts(const char *text)
{
	struct iovec vectors[] = {{text, strlen(text)}, {"\n", 1}};
	uint32_t written;

	return wisp_wasi_fd_write(WISP_WASI_STDOUT, vectors, 2, &written) == 0 ? 0 : EOF;
}

size_t fwrite(const void *data, size_t size, size_t count, FILE *stream)
{
	size_t bytes;

	if (size == 0 || __builtin_mul_overflow(size, count, &bytes)) {
		return 0;
	}
	return write_all(stream, data, bytes) == 0 ? count : 0;
}

int fflush(FILE *stream)
{
	(void)stream;
	return 0;
}
