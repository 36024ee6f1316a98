/* SPDX-License-Identifier: Apache-2.0 */
/* memory: 16384 */

#include <float.h>
#include <math.h>
#include <stdio.h>

int main(void)
{
	const double values[] = {0.0,   -0.0,   1.0,     0.1,        -2.5,    3.14159265358979,
				 1e-10, 1e10,   1e100,   123456.789, 0.5,     1.5,
				 2.5,   99.995, DBL_MAX, DBL_MIN,    1e15 / 3};

	for (unsigned i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
		double v = values[i];

		printf("%f|%e|%g|%G|%a\n", v, v, v, v, v);
		printf("%5.2f|%-12.3e|%+g|%010.1f|% f|%#.0f|%#g\n", v, v, v, v, v, v, v);
		printf("%.0f|%.1e|%.17g|%*.*f|\n", v, v, v, 12, 4, v);
	}
	printf("%f %F %5g|%-6e|\n", INFINITY, -INFINITY, (double)INFINITY, (double)-INFINITY);
	printf("%d %.2f %s %c %.1f %lld\n", 1, 2.25, "three", '4', 5.05, 6LL);
	printf("%f\n", (double)0.1f);
	return 0;
}
