/* SPDX-License-Identifier: Apache-2.0 */
/* memory: 32768 */

#include <errno.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int main(void)
{
	static const char *const floats[] = {"3.25",
					     " -1e-5x",
					     "0x1.8p3",
					     "inf",
					     "nan",
					     "1e400",
					     "-1e400",
					     "1e-400",
					     ".5.",
					     "abc",
					     "123456789012345678901234567890"};
	static const char *const integers[] = {
		"42", "-42abc", "0x7f", "077", "99999999999999999999", "", "+7"};
	char *end;

	for (unsigned i = 0; i < sizeof(floats) / sizeof(floats[0]); i++) {
		errno = 0;
		double value = strtod(floats[i], &end);

		printf("%.17g rest[%s] range %d\n", value != value ? 0.0 : value, end,
		       errno == ERANGE);
	}
	for (unsigned i = 0; i < sizeof(integers) / sizeof(integers[0]); i++) {
		errno = 0;
		long long value = strtoll(integers[i], &end, 0);

		printf("%lld rest[%s] range %d\n", value, end, errno == ERANGE);
	}
	printf("%d %lld %.3f\n", atoi("17 apples"), atoll("-9223372036854775808"), atof("2.718"));
	printf("%llu %d\n", strtoull("18446744073709551615", NULL, 10),
	       (int)strtol("zz", NULL, 36));
	printf("%lld %lld\n", INT64_MAX / 1000003, INT64_MIN % 1000003);
	printf("%llu %llu\n", (unsigned long long)(UINT64_MAX / 7),
	       (unsigned long long)(UINT64_MAX % 7));
	printf("%d %d %u\n", -7 / 2, -7 % 2, (unsigned)-7 >> 28);
	printf("%.9g %.9g\n", (double)(float)0.1, (double)(int64_t)1e18);
	div_t parts = div(17, 5);
	printf("%d %d %d\n", parts.quot, parts.rem, abs(-3));
	return 0;
}
