/* SPDX-License-Identifier: Apache-2.0 */
#include "wl.h"
/* 100 calls of an imported host function per iteration */
#ifdef __wasm__
__attribute__((import_module("env"), import_name("host_add"))) extern uint32_t host_add(uint32_t, uint32_t);
#else
extern uint32_t host_add(uint32_t, uint32_t);
#endif
ENTRY uint32_t RUN(uint32_t n) {
  uint32_t cs = 1;
  for (uint32_t it = 0; it < n; it++)
    for (uint32_t i = 0; i < 100; i++) cs = host_add(cs, i);
  return cs;
}
