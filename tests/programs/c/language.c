/* SPDX-License-Identifier: Apache-2.0 */
/* memory: 16384 */

#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

struct point {
	int x, y;
};
struct shape {
	struct point corners[4];
	const char *name;
};
union bits {
	float f;
	uint32_t u;
};
struct flags {
	unsigned a : 3;
	int b : 5;
	unsigned c : 24;
};

static struct point move(struct point p, int dx, int dy)
{
	return (struct point){p.x + dx, p.y + dy};
}

static int sum(int count, ...)
{
	va_list arguments;
	int total = 0;

	va_start(arguments, count);
	for (int i = 0; i < count; i++) {
		total += va_arg(arguments, int);
	}
	va_end(arguments);
	return total;
}

static double mean(const char *kinds, ...)
{
	va_list arguments, again;
	double total = 0;

	va_start(arguments, kinds);
	va_copy(again, arguments);
	for (const char *k = kinds; *k; k++) {
		total += *k == 'i'   ? va_arg(again, int)
			 : *k == 'l' ? (double)va_arg(again, long long)
				     : va_arg(again, double);
	}
	va_end(again);
	va_end(arguments);
	return total / (double)strlen(kinds);
}

static int add(int a, int b)
{
	return a + b;
}
static int sub(int a, int b)
{
	return a - b;
}
static int mul(int a, int b)
{
	return a * b;
}

int main(void)
{
	int (*const table[])(int, int) = {add, sub, mul};
	struct shape shape = {.name = "square",
			      .corners = {[1] = {1, 0}, [2] = {1, 1}, [3] = {0, 1}}};
	union bits bits = {.f = -1.5f};
	struct flags flags = {5, -7, 0xabcdef};
	int grid[3][4];
	uint64_t hash = 14695981039346656037ull;

	for (int i = 0; i < 3; i++) {
		printf("%d ", table[i](7, 3));
	}
	struct point moved = move(shape.corners[2], 10, -10);
	printf("%s %d %d\n", shape.name, moved.x, moved.y);
	printf("%d %.3f\n", sum(5, 1, 2, 3, 4, 5), mean("idl", 1, 2.5, 10000000000LL));
	printf("%08x %u %d %x\n", bits.u, flags.a, flags.b, flags.c);
	for (int i = 0; i < 12; i++) {
		grid[i / 4][i % 4] = i * i;
	}
	printf("%d %d\n", grid[2][3], (int)(&grid[2][0] - &grid[0][0]));
	for (const char *c = "hash me"; *c; c++) {
		hash = (hash ^ (uint8_t)*c) * 1099511628211ull;
	}
	printf("%016llx %d\n", (unsigned long long)hash, (int)(hash >> 60));
	int n = 27, steps = 0;
	do {
		n = n % 2 ? 3 * n + 1 : n / 2;
		steps++;
	} while (n != 1);
	switch (steps) {
	case 100 ... 120:
		printf("steps %d\n", steps);
		goto end;
	default:
		printf("other\n");
	}
end:
	printf("%s\n", __func__);
	return 0;
}
