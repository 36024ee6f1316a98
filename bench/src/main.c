/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Measures one runtime. Prints raw cycle counts. The script scripts/bench.py turns them into
 * instructions with the calibration that is printed first, and compares the checksums.
 *
 * QEMU's -icount makes the cycle counter a function of the instructions executed, so figures
 * are exact up to the counter's own step and the few timer interrupts.
 */
#include <string.h>
#include <zephyr/kernel.h>
#include <zephyr/sys/printk.h>

#include "runtime.h"

#define EMPTY_CALLS 1000
#define STACK_PATTERN 0xb5

const char *bench_failure;

/* bench.py writes it before the start through QEMU's loader: index of the only workload + 1. */
__noinit volatile uint32_t bench_only;

static K_THREAD_STACK_DEFINE(stack, CONFIG_BENCH_STACK_SIZE);
static struct k_thread thread;

static inline uint64_t now(void)
{
	return k_cycle_get_64();
}

/* Two instructions per iteration on every architecture here. */
static __noinline uint32_t loop_of_two(uint32_t iterations)
{
	uint64_t start = now();

#if defined(__thumb__)
	__asm__ volatile(".syntax unified\n.balign 4\n1: subs %0, %0, #1\n bne 1b"
			 : "+l"(iterations) : : "cc");
#elif defined(__riscv)
	__asm__ volatile(".option push\n.option norvc\n1: addi %0, %0, -1\n bnez %0, 1b\n.option pop"
			 : "+r"(iterations));
#else
#error No calibration loop for this architecture
#endif
	return (uint32_t)(now() - start);
}

/* Five instructions per iteration: checks what loop_of_two() calibrates. */
static __noinline uint32_t loop_of_five(uint32_t iterations)
{
	uint64_t start = now();

#if defined(__thumb__)
	__asm__ volatile(".syntax unified\n.balign 4\n1: nop\n nop\n nop\n subs %0, %0, #1\n bne 1b"
			 : "+l"(iterations) : : "cc");
#elif defined(__riscv)
	__asm__ volatile("1: nop\n nop\n nop\n addi %0, %0, -1\n bnez %0, 1b" : "+r"(iterations));
#endif
	return (uint32_t)(now() - start);
}

static __noinline uint32_t empty(uint32_t n)
{
	__asm__ volatile("" : "+r"(n));
	return n;
}

static void calibrate(void)
{
	uint64_t start;
	uint32_t i;

	loop_of_two(1000);
	printk("calibration two 2000000 %u\n", loop_of_two(1000000));
	printk("calibration two 7000000 %u\n", loop_of_two(3500000));
	printk("calibration five 5000000 %u\n", loop_of_five(1000000));
	start = now();
	for (i = 0; i < EMPTY_CALLS; i++) {
		(void)now();
	}
	printk("clock %u %u\n", EMPTY_CALLS, (uint32_t)(now() - start));
	start = now();
	for (i = 0; i < EMPTY_CALLS; i++) {
		empty(i);
	}
	printk("empty native %u %u\n", EMPTY_CALLS, (uint32_t)(now() - start));
}

/* The part of the stack below this function's frame gets a pattern that the run overwrites. */
static __noinline void paint_stack(void)
{
	uint8_t *here = __builtin_frame_address(0);
	uint8_t *low = (uint8_t *)stack;

	while (low < here - 256) {
		*(volatile uint8_t *)low++ = STACK_PATTERN;
	}
}

static __noinline size_t stack_depth(uintptr_t from)
{
	const uint8_t *low = (const uint8_t *)stack;

	while ((uintptr_t)low < from && *low == STACK_PATTERN) {
		low++;
	}
	return from - (uintptr_t)low;
}

/* Runtimes that can load what was checked before define it. */
__weak const char *runtime_load_trusted(const struct bench_workload *workload);

static void measure(const struct bench_workload *workload)
{
	const char *error;
	uint64_t start, load, trusted = 0, once, many, empty_calls = 0;
	uint32_t check_once, check_many, i;
	size_t heap, depth;

	bench_failure = NULL;
	if (runtime_load_trusted != NULL) {
		start = now();
		error = runtime_load_trusted(workload);
		trusted = now() - start;
		runtime_unload();
	}
	paint_stack();
	start = now();
	error = runtime_load(workload);
	load = now() - start;
	if (error != NULL) {
		printk("failed %s load: %s\n", workload->name, error);
		runtime_unload();
		return;
	}
	runtime_run(1);
	depth = stack_depth((uintptr_t)__builtin_frame_address(0));
	heap = runtime_heap();

	start = now();
	check_once = runtime_run(1);
	once = now() - start;
	start = now();
	check_many = runtime_run(1 + workload->iterations);
	many = now() - start;
	if (strcmp(workload->name, "nop") == 0) {
		start = now();
		for (i = 0; i < EMPTY_CALLS; i++) {
			runtime_run(i);
		}
		empty_calls = now() - start;
	}
	if (bench_failure != NULL) {
		printk("failed %s run: %s\n", workload->name, bench_failure);
	} else {
		printk("workload %s n %u once %u many %u load %u check %08x %08x stack %u heap %u "
		       "memory %u size %u trusted %u\n", workload->name, workload->iterations,
		       (uint32_t)once, (uint32_t)many, (uint32_t)load, check_once, check_many,
		       (uint32_t)depth, (uint32_t)heap, (uint32_t)runtime_linear_memory(),
		       workload->size, (uint32_t)trusted);
	}
	if (empty_calls != 0) {
		printk("empty guest %u %u\n", EMPTY_CALLS, (uint32_t)empty_calls);
	}
	runtime_unload();
}

static void bench(void *a, void *b, void *c)
{
	unsigned int i, only = bench_only;

	printk("runtime %s\n", runtime_version);
	calibrate();
	for (i = 0; i < bench_workload_count; i++) {
		if (bench_workloads[i].code == NULL) {
			continue;
		}
		if (only == 0 || only > bench_workload_count || only == i + 1) {
			measure(&bench_workloads[i]);
		}
	}
	printk("bench done\n");
}

int main(void)
{
	k_thread_create(&thread, stack, CONFIG_BENCH_STACK_SIZE, bench, NULL, NULL, NULL, 0, 0,
			K_NO_WAIT);
	k_thread_join(&thread, K_FOREVER);
	return 0;
}
