/* SPDX-License-Identifier: Apache-2.0 */
/* memory: 32768 */

#include <stdio.h>

int main(void)
{
	int day, year, n, count;
	char month[12], word[8], set[8];
	unsigned hex;
	float f;
	double d;
	long long big;

	count = sscanf("28 November 2026", "%d %11s %d", &day, month, &year);
	printf("%d: %d/%s/%d\n", count, day, month, year);
	count = sscanf("x=ff, y=-12.75e1 z", "x=%x, y=%lf%n", &hex, &d, &n);
	printf("%d: %u %.3f %d\n", count, hex, d, n);
	count = sscanf("1.5 9000000000 abcdefgh", "%f %lld %7s", &f, &big, word);
	printf("%d: %.2f %lld %s\n", count, (double)f, big, word);
	count = sscanf("abc123", "%[a-z]%d", set, &n);
	printf("%d: %s %d\n", count, set, n);
	count = sscanf("oops", "%d", &n);
	printf("%d\n", count);
	count = sscanf("12:34:56", "%d:%*d:%d", &day, &year);
	printf("%d: %d %d\n", count, day, year);
	printf("%d\n", sscanf("", "%d", &n));
	return 0;
}
