/* SPDX-License-Identifier: Apache-2.0 */

/* A guest that tests stdio.h and string.h: status 0 if all is as C says. */

#include <stdint.h>
#include <stdio.h>
#include <string.h>

static int failures;

#define EXPECT(expected, ...)                                                                      \
	do {                                                                                       \
		char text[96];                                                                     \
		int length = snprintf(text, sizeof(text), __VA_ARGS__);                            \
		if (strcmp(text, expected) != 0 || length != (int)strlen(expected)) {              \
			fprintf(stderr, "line %d: \"%s\", expected \"%s\"\n", __LINE__, text,      \
				expected);                                                         \
			failures++;                                                                \
		}                                                                                  \
	} while (0)

#define CHECK(condition)                                                                           \
	do {                                                                                       \
		if (!(condition)) {                                                                \
			fprintf(stderr, "line %d: not %s\n", __LINE__, #condition);                \
			failures++;                                                                \
		}                                                                                  \
	} while (0)

static void numbers(void)
{
	EXPECT("0 -1 2147483647 -2147483648", "%d %d %d %d", 0, -1, INT32_MAX, INT32_MIN);
	EXPECT("4294967295 ffffffff FFFFFFFF 37777777777", "%u %x %X %o", ~0u, ~0u, ~0u, ~0u);
	EXPECT("-9223372036854775808 18446744073709551615", "%lld %llu", INT64_MIN, UINT64_MAX);
	EXPECT("44 4464 -1 7", "%hhd %hu %ld %zu", (signed char)44, (unsigned short)4464, -1L,
	       (size_t)7);
	EXPECT("[  -42][-42  ][-0042][+42][ 42]", "[%5d][%-5d][%05d][%+d][% d]", -42, -42, -42, 42,
	       42);
	EXPECT("0xbeef 0 010 0x10", "%#x %#x %#o %p", 0xbeefu, 0u, 8u, (void *)0x10);
	EXPECT("0 010 010 [00010] 0 []", "%#o %#.3o %#.1o [%#05o] %#.0o [%.0o]", 0u, 8u, 8u, 8u, 0u,
	       0u);
	EXPECT("[005][     005][]", "[%.3d][%8.3d][%.0d]", 5, 5, 0);
	EXPECT("[   1][1   ]", "[%*d][%*d]", 4, 1, -4, 1);
}

static void texts(void)
{
	char small[5];

	EXPECT("[ab][        ab][ab        ][ab]", "[%s][%10s][%-10s][%.2s]", "ab", "ab", "ab",
	       "abcdef");
	EXPECT("x % (null)", "%c %% %s", 'x', (char *)NULL);
	CHECK(snprintf(small, sizeof(small), "%s", "123456789") == 9);
	CHECK(strcmp(small, "1234") == 0);
	CHECK(snprintf(NULL, 0, "abc") == 3);
}

static void strings(void)
{
	char text[8] = "abcdefg";

	CHECK(strlen("") == 0 && strlen("abc") == 3 && strnlen("abc", 2) == 2);
	CHECK(strcmp("a", "b") < 0 && strcmp("ab", "a") > 0 && strcmp("", "") == 0);
	CHECK(strcmp("\x80", "a") > 0);
	CHECK(strncmp("abc", "abd", 2) == 0 && strncmp("abc", "abd", 3) < 0);
	CHECK(memcmp("\xff", "\x01", 1) > 0 && memcmp("a", "b", 0) == 0);
	CHECK(strchr(text, 'c') == text + 2 && strchr(text, 'x') == NULL);
	CHECK(strchr(text, '\0') == text + 7);
	CHECK(memchr(text, 'h', 8) == NULL && memchr(text, 'g', 8) == text + 6);
	memmove(text + 1, text, 4);
	CHECK(strcmp(text, "aabcdfg") == 0);
	memset(text, 'z', 2);
	CHECK(strcmp(strcpy(text + 2, "y"), "y") == 0 && strcmp(text, "zzy") == 0);
}

int main(int argc, char **argv)
{
	CHECK(argc >= 1 && argv[argc] == NULL && strlen(argv[0]) > 0);
	numbers();
	texts();
	strings();
	CHECK(printf("%s, %s\n", "a line that is longer than the buffer of one call",
		     "which has sixty-four bytes") == 78);
	CHECK(puts("end") >= 0);
	return failures == 0 ? 0 : 1;
}
