/* SPDX-License-Identifier: Apache-2.0 */
/* WAMR's port for the benchmark. */
#include <zephyr/sys/printk.h>

#include "platform_api_vmcore.h"
#include "platform_api_extension.h"

void *bench_malloc(size_t size);
void *bench_realloc(void *block, size_t size);
void bench_free(void *block);

int bh_platform_init(void)
{
	return 0;
}

void bh_platform_destroy(void)
{
}

void *os_malloc(unsigned int size)
{
	return bench_malloc(size);
}

void *os_realloc(void *block, unsigned int size)
{
	return bench_realloc(block, size);
}

void os_free(void *block)
{
	bench_free(block);
}

int os_printf(const char *format, ...)
{
	return 0;
}

int os_vprintf(const char *format, va_list arguments)
{
	return 0;
}

uint64 os_time_get_boot_us(void)
{
	return 0;
}

uint64 os_time_thread_cputime_us(void)
{
	return 0;
}

#ifdef BENCH_WAMR_OLD
uint64 os_time_get_boot_microsecond(void)
{
	return 0;
}

/* Its loader asks for globals of a built-in libc, which is left out here. */
bool wasm_native_lookup_libc_builtin_global(const char *module, const char *name, void *global)
{
	return false;
}
#endif

korp_tid os_self_thread(void)
{
	return 1;
}

uint8 *os_thread_get_stack_boundary(void)
{
	return NULL;
}

void os_thread_jit_write_protect_np(bool enabled)
{
}

int os_mutex_init(korp_mutex *mutex)
{
	return 0;
}

int os_mutex_destroy(korp_mutex *mutex)
{
	return 0;
}

int os_mutex_lock(korp_mutex *mutex)
{
	return 0;
}

int os_mutex_unlock(korp_mutex *mutex)
{
	return 0;
}

int os_recursive_mutex_init(korp_mutex *mutex)
{
	return 0;
}

int os_cond_init(korp_cond *condition)
{
	return 0;
}

int os_cond_destroy(korp_cond *condition)
{
	return 0;
}

int os_cond_wait(korp_cond *condition, korp_mutex *mutex)
{
	return 0;
}

int os_cond_signal(korp_cond *condition)
{
	return 0;
}

#ifdef BENCH_WAMR_OLD
void *os_mmap(void *hint, size_t size, int protection, int flags)
#else
void *os_mmap(void *hint, size_t size, int protection, int flags, os_file_handle file)
#endif
{
	void *block = bench_malloc(size);

	if (block != NULL) {
		memset(block, 0, size);
	}
	return block;
}

void os_munmap(void *block, size_t size)
{
	bench_free(block);
}

#ifndef BENCH_WAMR_OLD
void *os_mremap(void *block, size_t old_size, size_t new_size)
{
	return os_mremap_slow(block, old_size, new_size);
}
#endif

int os_mprotect(void *block, size_t size, int protection)
{
	return 0;
}

void os_dcache_flush(void)
{
}

void os_icache_flush(void *start, size_t length)
{
}
