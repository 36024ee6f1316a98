/* SPDX-License-Identifier: Apache-2.0 */
/* memory: 16384 */

#include <inttypes.h>
#include <limits.h>
#include <stddef.h>
#include <stdio.h>

int main(void)
{
	int count = 0;
	char small[8];

	printf("%d %i %u %o %x %X %c %s %%\n", -5, 5, 5u, 8u, 255u, 255u, 'q', "text");
	printf("[%5d][%-5d][%05d][%+d][% d][%.3d][%8.3d][%-8.3d]\n", 42, 42, 42, 42, 42, 7, 7, 7);
	printf("%lld %llu %llx %lli\n", LLONG_MIN, ULLONG_MAX, ULLONG_MAX, -1LL);
	printf("%hhd %hhu %hd %hu %ld %lu\n", (signed char)300, (unsigned char)300, (short)70000,
	       (unsigned short)70000, -7L, 7ul);
	printf("%zu %td %jd %ju\n", sizeof(char), (ptrdiff_t)-3, (intmax_t)-9, (uintmax_t)9);
	printf("%" PRId64 " %" PRIu32 " %" PRIx8 "\n", INT64_MAX, UINT32_MAX, (uint8_t)200);
	printf("%#x %#o %#X %#llx\n", 255u, 8u, 255u, 1ULL << 40);
	printf("%s %.3s %10s %-10s| %.*s\n", "abc", "abcdef", "right", "left", 2, "xyz");
	printf("12345%n678\n", &count);
	printf("%d\n", count);
	printf("%d", snprintf(small, sizeof(small), "%s-%d", "truncated", 99));
	printf(" %s\n", small);
	printf("%2$s %1$d\n", 1, "positions");
	return 0;
}
