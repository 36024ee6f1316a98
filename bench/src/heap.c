/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A heap that knows what is in use: each block carries its size. So the figure is what the runtime
 * asked for, and not what an allocator makes of it.
 */
#include <string.h>
#include <zephyr/sys/sys_heap.h>
#include <zephyr/init.h>

#include "runtime.h"

#define HEADER 8

static char memory[CONFIG_BENCH_HEAP_SIZE] __aligned(8);
static struct sys_heap heap;
static size_t used;

static int heap_init(void)
{
	sys_heap_init(&heap, memory, sizeof(memory));
	return 0;
}
SYS_INIT(heap_init, PRE_KERNEL_1, 0);

void *bench_malloc(size_t size)
{
	char *block = sys_heap_aligned_alloc(&heap, 8, size + HEADER);

	if (block == NULL) {
		return NULL;
	}
	*(size_t *)block = size;
	used += size;
	return block + HEADER;
}

void *bench_calloc(size_t count, size_t size)
{
	void *block = bench_malloc(count * size);

	if (block != NULL) {
		memset(block, 0, count * size);
	}
	return block;
}

void bench_free(void *block)
{
	if (block != NULL) {
		char *start = (char *)block - HEADER;

		used -= *(size_t *)start;
		sys_heap_free(&heap, start);
	}
}

void *bench_realloc(void *block, size_t size)
{
	void *moved;
	size_t old;

	if (block == NULL) {
		return bench_malloc(size);
	}
	old = *(size_t *)((char *)block - HEADER);
	moved = bench_malloc(size);
	if (moved != NULL) {
		memcpy(moved, block, old < size ? old : size);
		bench_free(block);
	}
	return moved;
}

size_t bench_heap_used(void)
{
	return used;
}
