/* SPDX-License-Identifier: Apache-2.0 */
#include <stdint.h>
#if defined(__wasm__) && !defined(RUN)
#define ENTRY __attribute__((export_name("run")))
#define RUN run
#else
#define ENTRY __attribute__((noinline,used))
#ifndef RUN
#error RUN
#endif
#endif
#define NOINLINE __attribute__((noinline))
