/* SPDX-License-Identifier: Apache-2.0 */

/* A guest that traps where the comment says so. */

static volatile int table[4] = {7, 0, 3, 4};

static inline __attribute__((always_inline)) int share(int total, int parts)
{
	return total / parts; /* TRAP */
}

__attribute__((noinline)) int split(int index)
{
	return share(1000, table[index]) + table[0]; /* INLINED */
}

__attribute__((export_name("faulty"))) int faulty(int index)
{
	return split(index) * 2; /* CALL */
}
