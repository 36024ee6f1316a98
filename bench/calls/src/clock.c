/* SPDX-License-Identifier: Apache-2.0 */

#include <zephyr/sys/printk.h>

#include "clock.h"

/* Two instructions an iteration. */
static __noinline uint32_t loop_of_two(uint32_t iterations)
{
	uint32_t start = now();

	__asm__ volatile(".syntax unified\n.balign 4\n1: subs %0, %0, #1\n bne 1b"
			 : "+l"(iterations)
			 :
			 : "cc");
	return now() - start;
}

void calibrate(void)
{
	loop_of_two(1000);
	printk("calibration 2000000 %u\n", loop_of_two(1000000));
	printk("calibration 7000000 %u\n", loop_of_two(3500000));
}
