/* SPDX-License-Identifier: Apache-2.0 */
#include <zephyr/kernel.h>
#include <zephyr/sys/printk.h>

#include "runtime.h"

#ifndef ARENA_SIZE
#define ARENA_SIZE (96 * 1024)
#endif

const char *const runtime_version = "wisp " BENCH_TIER_NAME;

const char *wisp_bench_load(const void *image, size_t size, uint64_t *arena, size_t words,
			    bool trusted);
uint32_t wisp_bench_run(uint32_t n, uint32_t *result);
size_t wisp_bench_arena_left(void);
size_t wisp_bench_memory(void);
void wisp_bench_unload(void);

static uint64_t arena[ARENA_SIZE / sizeof(uint64_t)];

FUNC_NORETURN void wisp_bench_panic(void)
{
	printk("FATAL: panic\n");
	k_fatal_halt(K_ERR_KERNEL_PANIC);
	CODE_UNREACHABLE;
}

const char *runtime_load(const struct bench_workload *workload)
{
	return wisp_bench_load(workload->code, workload->size, arena, ARRAY_SIZE(arena), false);
}

const char *runtime_load_trusted(const struct bench_workload *workload)
{
	return wisp_bench_load(workload->code, workload->size, arena, ARRAY_SIZE(arena), true);
}

uint32_t runtime_run(uint32_t n)
{
	uint32_t result = 0;

	if (wisp_bench_run(n, &result) != 0) {
		bench_failure = "trap";
	}
	return result;
}

void runtime_unload(void)
{
	wisp_bench_unload();
}

size_t runtime_heap(void)
{
	return sizeof(arena) - wisp_bench_arena_left();
}

size_t runtime_linear_memory(void)
{
	return wisp_bench_memory();
}
