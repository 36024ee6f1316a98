/* SPDX-License-Identifier: Apache-2.0 */

#ifndef BENCH_CALLS_CLOCK_H_
#define BENCH_CALLS_CLOCK_H_

#include <stdint.h>

#include <zephyr/kernel.h>

/* The counter wraps after minutes. Every span here is shorter. */
static inline uint32_t now(void)
{
	return k_cycle_get_32();
}

/* Prints cycles of loops of known length. */
void calibrate(void);

/* Calls Zephyr's drivers as the host functions do, and prints what that took. */
void measure_direct(void);

#endif /* BENCH_CALLS_CLOCK_H_ */
