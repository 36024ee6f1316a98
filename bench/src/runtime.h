/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file What the benchmark asks of a runtime. One image holds one runtime. Every runtime runs the
 * same modules under the same clock.
 */
#ifndef BENCH_RUNTIME_H_
#define BENCH_RUNTIME_H_

#include <stddef.h>
#include <stdint.h>

/** A workload as it lies in flash: a wasm module, a Wisp image, or a native function. */
struct bench_workload {
	const char *name;
	/* First byte of the module. For native code, the function. NULL is skipped. */
	const void *code;
	/* Bytes of the module. 0 for native code. */
	uint32_t size;
	/** Iterations of the second, longer run, the same for every runtime. */
	uint32_t iterations;
};

extern const struct bench_workload bench_workloads[];
extern const unsigned int bench_workload_count;

/** Name and version, printed with the results. */
extern const char *const runtime_version;

/**
 * Loads, compiles where the runtime does that, links env.host_add, instantiates and looks `run`
 * up: everything that is needed before the first call.
 *
 * @retval NULL when it worked, otherwise what went wrong.
 */
const char *runtime_load(const struct bench_workload *workload);

/** Calls the export run(n). Sets bench_failure when the guest trapped. */
uint32_t runtime_run(uint32_t n);

/**
 * As runtime_load(), without the check of code that was checked before. Optional: a runtime that
 * has no such thing does not define it.
 */
const char *runtime_load_trusted(const struct bench_workload *workload);

/** Gives back everything that runtime_load() took. */
void runtime_unload(void);

/** Bytes of RAM in use for the loaded module, linear memory included. */
size_t runtime_heap(void);

/** Bytes of linear memory that back the loaded module. */
size_t runtime_linear_memory(void);

/** Why the last runtime_run() failed, or NULL. */
extern const char *bench_failure;

/** The host function that guests import as env.host_add. */
static inline uint32_t bench_host_add(uint32_t a, uint32_t b)
{
	return a * 5u + b;
}

/** A heap that counts, for runtimes that allocate. */
void *bench_malloc(size_t size);
void *bench_calloc(size_t count, size_t size);
void *bench_realloc(void *block, size_t size);
void bench_free(void *block);
size_t bench_heap_used(void);

#endif
