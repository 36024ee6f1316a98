/* SPDX-License-Identifier: Apache-2.0 */
#include "wasm3.h"
#include "m3_env.h"
#include "runtime.h"

#define GUEST_STACK 2048

const char *const runtime_version = "wasm3 " M3_VERSION;

static IM3Environment environment;
static IM3Runtime runtime;
static IM3Function run;
static uint32_t memory_size;

static const void *host_add(IM3Runtime rt, IM3ImportContext context, uint64_t *stack, void *memory)
{
	stack[0] = bench_host_add((uint32_t)stack[1], (uint32_t)stack[2]);
	return m3Err_none;
}

const char *runtime_load(const struct bench_workload *workload)
{
	IM3Module module;
	M3Result result;

	environment = m3_NewEnvironment();
	runtime = m3_NewRuntime(environment, GUEST_STACK, NULL);
	if (runtime == NULL) {
		return "no memory";
	}
	result = m3_ParseModule(environment, &module, workload->code, workload->size);
	if (result != m3Err_none) {
		return result;
	}
	result = m3_LoadModule(runtime, module);
	if (result != m3Err_none) {
		return result;
	}
	result = m3_LinkRawFunction(module, "env", "host_add", "i(ii)", host_add);
	if (result != m3Err_none && result != m3Err_functionLookupFailed) {
		return result;
	}
	result = m3_CompileModule(module);
	if (result != m3Err_none) {
		return result;
	}
	m3_GetMemory(runtime, &memory_size, 0);
	return m3_FindFunction(&run, runtime, "run");
}

uint32_t runtime_run(uint32_t n)
{
	uint32_t value = 0;
	M3Result result = m3_CallV(run, n);

	if (result == m3Err_none) {
		result = m3_GetResultsV(run, &value);
	}
	if (result != m3Err_none) {
		bench_failure = result;
	}
	return value;
}

void runtime_unload(void)
{
	m3_FreeRuntime(runtime);
	m3_FreeEnvironment(environment);
}

size_t runtime_heap(void)
{
	return bench_heap_used();
}

size_t runtime_linear_memory(void)
{
	return memory_size;
}
