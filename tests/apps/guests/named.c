/* SPDX-License-Identifier: Apache-2.0 */

/* Traps three calls deep, in an image that carries the names of its functions. */

static volatile int zero;

static __attribute__((noinline)) int divide(int divisor)
{
	return 1000 / divisor;
}

static __attribute__((noinline)) int work(int divisor)
{
	return divide(divisor) + zero;
}

int main(void)
{
	return work(zero) + zero;
}
