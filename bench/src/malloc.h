/* SPDX-License-Identifier: Apache-2.0 */
/* Included before everything in runtimes that call the C library's allocator by name. */
#include <stdlib.h>

void *bench_malloc(size_t size);
void *bench_calloc(size_t count, size_t size);
void *bench_realloc(void *block, size_t size);
void bench_free(void *block);

#define malloc bench_malloc
#define calloc bench_calloc
#define realloc bench_realloc
#define free bench_free
