/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "wasm_export.h"
#include "runtime.h"

#ifndef GUEST_STACK
#define GUEST_STACK 2048
#endif

const char *const runtime_version = "wamr " BENCH_VERSION;

static uint8_t *binary;
static wasm_module_t module;
static wasm_module_inst_t instance;
static wasm_exec_env_t environment;
static wasm_function_inst_t run;
static char error[128];

static int32_t host_add(wasm_exec_env_t env, int32_t a, int32_t b)
{
	return (int32_t)bench_host_add((uint32_t)a, (uint32_t)b);
}

static NativeSymbol symbols[] = {
	{ "host_add", (void *)host_add, "(ii)i", NULL },
};

static void *allocate(unsigned int size)
{
	return bench_malloc(size);
}

static void *reallocate(void *block, unsigned int size)
{
	return bench_realloc(block, size);
}

const char *runtime_load(const struct bench_workload *workload)
{
	RuntimeInitArgs args = {
		.mem_alloc_type = Alloc_With_Allocator,
		.mem_alloc_option.allocator = {
			.malloc_func = (void *)allocate,
			.realloc_func = (void *)reallocate,
			.free_func = (void *)bench_free,
		},
		.native_module_name = "env",
		.native_symbols = symbols,
		.n_native_symbols = 1,
	};

	if (!wasm_runtime_full_init(&args)) {
		return "init";
	}
	/* The loader writes to what it is given, so flash does not do. */
	binary = bench_malloc(workload->size);
	memcpy(binary, workload->code, workload->size);
	module = wasm_runtime_load(binary, workload->size, error, sizeof(error));
	if (module == NULL) {
		return error;
	}
	instance = wasm_runtime_instantiate(module, GUEST_STACK, 0, error, sizeof(error));
	if (instance == NULL) {
		return error;
	}
	environment = wasm_runtime_create_exec_env(instance, GUEST_STACK);
	if (environment == NULL) {
		return "exec env";
	}
#ifdef BENCH_WAMR_OLD
	run = wasm_runtime_lookup_function(instance, "run", NULL);
#else
	run = wasm_runtime_lookup_function(instance, "run");
#endif
	return run == NULL ? "no export run" : NULL;
}

uint32_t runtime_run(uint32_t n)
{
	uint32_t argv[1] = { n };

	if (!wasm_runtime_call_wasm(environment, run, 1, argv)) {
		bench_failure = wasm_runtime_get_exception(instance);
	}
	return argv[0];
}

void runtime_unload(void)
{
	if (environment != NULL) {
		wasm_runtime_destroy_exec_env(environment);
	}
	if (instance != NULL) {
		wasm_runtime_deinstantiate(instance);
	}
	if (module != NULL) {
		wasm_runtime_unload(module);
	}
	environment = NULL;
	instance = NULL;
	module = NULL;
	bench_free(binary);
	wasm_runtime_destroy();
}

size_t runtime_heap(void)
{
	return bench_heap_used();
}

size_t runtime_linear_memory(void)
{
#ifdef BENCH_WAMR_OLD
	return 0;
#else
	wasm_memory_inst_t memory = wasm_runtime_get_default_memory(instance);

	return memory == NULL ? 0 : (size_t)(wasm_memory_get_cur_page_count(memory) *
					     wasm_memory_get_bytes_per_page(memory));
#endif
}
