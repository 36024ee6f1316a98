/* SPDX-License-Identifier: Apache-2.0 */
#include <zephyr/kernel.h>
#include <zephyr/sys/printk.h>

#include "runtime.h"

const char *const runtime_version = "wasmi 1.1.0";

uint32_t wasmi_bench_load(const void *wasm, size_t size);
uint32_t wasmi_bench_run(uint32_t n, uint32_t *result);
size_t wasmi_bench_memory(void);
void wasmi_bench_unload(void);

FUNC_NORETURN void wasmi_bench_panic(void)
{
	printk("FATAL: panic\n");
	k_fatal_halt(K_ERR_KERNEL_PANIC);
	CODE_UNREACHABLE;
}

const char *runtime_load(const struct bench_workload *workload)
{
	return wasmi_bench_load(workload->code, workload->size) == 0 ? NULL : "refused";
}

uint32_t runtime_run(uint32_t n)
{
	uint32_t result = 0;

	if (wasmi_bench_run(n, &result) != 0) {
		bench_failure = "trap";
	}
	return result;
}

void runtime_unload(void)
{
	wasmi_bench_unload();
}

size_t runtime_heap(void)
{
	return bench_heap_used();
}

size_t runtime_linear_memory(void)
{
	return wasmi_bench_memory();
}
