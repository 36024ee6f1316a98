/* SPDX-License-Identifier: Apache-2.0 */
/* WAMR's port for the benchmark: one thread, no files, no sockets, the benchmark's heap. */
#ifndef BENCH_PLATFORM_INTERNAL_H_
#define BENCH_PLATFORM_INTERNAL_H_

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <math.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifndef BH_PLATFORM_ZEPHYR
#define BH_PLATFORM_ZEPHYR
#endif
#define BH_APPLET_PRESERVED_STACK_SIZE (2 * BH_KB)
#define BH_THREAD_DEFAULT_PRIORITY 7
#define OS_DIR_STREAM_INVALID 0

typedef int korp_thread;
typedef int korp_tid;
typedef int korp_mutex;
typedef int korp_cond;
typedef int korp_rwlock;
typedef unsigned int korp_sem;
typedef int os_file_handle;
typedef int os_raw_file_handle;
typedef int os_dir_stream;
typedef int bh_socket_t;
typedef int os_poll_file_handle;
typedef unsigned int os_nfds_t;
typedef struct timespec os_timespec;

static inline int os_sched_yield(void)
{
	return 0;
}

static inline os_file_handle os_get_invalid_handle(void)
{
	return -1;
}

static inline int os_getpagesize(void)
{
	return 4096;
}

#endif
