/* SPDX-License-Identifier: Apache-2.0 */

/* RAM that machine code is executed from. */

#include <string.h>

#include <zephyr/kernel.h>
#include <zephyr/sys/barrier.h>
#include <zephyr/sys/util.h>

#ifdef CONFIG_ARM_MPU
#include <cmsis_core.h>
#endif

#include "border/shim.h"
#include "translate/memory.h"

#define SIZE ROUND_UP(CONFIG_WISP_TRANSLATE_RAM, sizeof(uint64_t))

#ifdef CONFIG_ARM_MPU
/*
 * Zephyr's memory protection lets only its functions in RAM be executed, and lets nobody write
 * where they lie.
 */
#define PLACE __attribute__((section(".ramfunc.wisp")))
#else
#define PLACE __noinit
#endif

PLACE __aligned(sizeof(uint64_t)) uint8_t wisp_code_memory[SIZE];

uint32_t wisp_code_size(void)
{
	return SIZE;
}

#ifdef CONFIG_ARM_MPU

/* Lifts the protection of all memory for as long as the bytes are copied. No thread runs then. */
void wisp_shim_code_write(uint8_t *to, const uint8_t *from, size_t bytes)
{
	unsigned int key = irq_lock();
	uint32_t control = MPU->CTRL;

	MPU->CTRL = 0;
	barrier_dsync_fence_full();
	barrier_isync_fence_full();
	memcpy(to, from, bytes);
	barrier_dsync_fence_full();
	MPU->CTRL = control;
	barrier_dsync_fence_full();
	barrier_isync_fence_full();
	irq_unlock(key);
}

#else

void wisp_shim_code_write(uint8_t *to, const uint8_t *from, size_t bytes)
{
	memcpy(to, from, bytes);
}

#endif /* CONFIG_ARM_MPU */
