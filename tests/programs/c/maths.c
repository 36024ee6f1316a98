/* SPDX-License-Identifier: Apache-2.0 */
/* memory: 32768 */

#include <math.h>
#include <stdio.h>

int main(void)
{
	for (double x = -2.0; x <= 2.0; x += 0.5) {
		printf("%.9g %.9g %.9g %.9g %.9g\n", sin(x), cos(x), tan(x), exp(x), atan(x));
		printf("%.9g %.9g %.9g %.9g\n", floor(x), ceil(x), rint(x), trunc(x));
	}
	printf("%.9g %.9g %.9g %.9g\n", log(10), log2(10), log10(1000), log1p(1e-9));
	printf("%.9g %.9g %.9g\n", pow(2, 0.5), pow(-8, 3), pow(10, -3));
	printf("%.9g %.9g %.9g %.9g\n", sqrt(2), cbrt(27), hypot(3, 4), fmod(10.5, 3));
	printf("%.9g %.9g %.9g\n", erf(0.5), tgamma(5), lgamma(10));
	printf("%.9g %.9g %.9g\n", sinh(1), cosh(1), tanh(0.5));
	printf("%.9g %.9g %.9g\n", asin(0.5), acos(0.5), atan2(-1, -1));
	printf("%d %d %d\n", isnan(NAN) != 0, isinf(INFINITY) != 0, signbit(-0.0) != 0);
	printf("%.9g %.9g %.9g\n", fma(2, 3, 4), fmax(1, 2), copysign(3, -1));
	printf("%.6g %.6g %.6g\n", (double)sinf(1), (double)sqrtf(2), (double)powf(2, 10));
	int exponent;
	double fraction = frexp(48, &exponent), whole;
	printf("%.9g %d %.9g %.9g\n", fraction, exponent, ldexp(0.75, 6), modf(3.75, &whole));
	printf("%ld %lld\n", lround(2.5), llround(-2.5));
	return 0;
}
