/* SPDX-License-Identifier: Apache-2.0 */
/* No runtime: the image that the flash figures are measured against. */
#include "runtime.h"

const char *const runtime_version = "none";

const char *runtime_load(const struct bench_workload *workload)
{
	return "no runtime";
}

uint32_t runtime_run(uint32_t n)
{
	return n;
}

void runtime_unload(void)
{
}

size_t runtime_heap(void)
{
	return bench_heap_used();
}

size_t runtime_linear_memory(void)
{
	return 0;
}
