/* SPDX-License-Identifier: Apache-2.0 */
#include "wasm3.h"
#include "m3_env.h"
#include "runtime.h"

#ifndef GUEST_STACK
#define GUEST_STACK 2048
#endif

const char *const runtime_version = "wasm3 " M3_VERSION;

static IM3Environment environment;
static IM3Runtime runtime;
static IM3Function run;
static uint32_t memory_size;

/* The crate's version 0.4.7 has other calling conventions than 0.5 and later. */
#define OLD (M3_VERSION_MAJOR == 0 && M3_VERSION_MINOR < 5)

#if OLD
static const void *host_add(IM3Runtime rt, uint64_t *stack, void *memory)
{
	stack[0] = bench_host_add((uint32_t)stack[0], (uint32_t)stack[1]);
	return m3Err_none;
}
#else
static const void *host_add(IM3Runtime rt, IM3ImportContext context, uint64_t *stack, void *memory)
{
	stack[0] = bench_host_add((uint32_t)stack[1], (uint32_t)stack[2]);
	return m3Err_none;
}
#endif

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
#if !OLD
	result = m3_CompileModule(module);
	if (result != m3Err_none) {
		return result;
	}
#endif
	m3_GetMemory(runtime, &memory_size, 0);
	return m3_FindFunction(&run, runtime, "run");
}

#if OLD
/* Arguments go in as text. */
static M3Result call(uint32_t n, uint32_t *value)
{
	char digits[12];
	char *text = &digits[sizeof(digits) - 1];
	const char *arguments[1];
	M3Result result;

	*text = '\0';
	do {
		*--text = (char)('0' + n % 10);
		n /= 10;
	} while (n != 0);
	arguments[0] = text;
	result = m3_CallWithArgs(run, 1, arguments);
	*value = *(uint32_t *)runtime->stack;
	return result;
}
#else
static M3Result call(uint32_t n, uint32_t *value)
{
	M3Result result = m3_CallV(run, n);

	return result != m3Err_none ? result : m3_GetResultsV(run, value);
}
#endif

uint32_t runtime_run(uint32_t n)
{
	uint32_t value = 0;
	M3Result result = call(n, &value);

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
