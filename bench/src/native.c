/* SPDX-License-Identifier: Apache-2.0 */
/* The reference: the workloads compiled for the board itself. */
#include "runtime.h"

const char *const runtime_version = "native " BENCH_COMPILER;

static uint32_t (*entry)(uint32_t);

/* Its own file's twin of the guests' import. Not inlined, as it would not be across files. */
__attribute__((noinline)) uint32_t host_add(uint32_t a, uint32_t b)
{
	return bench_host_add(a, b);
}

const char *runtime_load(const struct bench_workload *workload)
{
	entry = (uint32_t (*)(uint32_t))(uintptr_t)workload->code;
	return NULL;
}

uint32_t runtime_run(uint32_t n)
{
	return entry(n);
}

void runtime_unload(void)
{
}

size_t runtime_heap(void)
{
	return 0;
}

size_t runtime_linear_memory(void)
{
	return 0;
}
