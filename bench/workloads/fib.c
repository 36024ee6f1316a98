/* SPDX-License-Identifier: Apache-2.0 */
#include "wl.h"
/* real recursion. The argument is opaque so the call cannot be hoisted out of the loop */
static NOINLINE uint32_t fib(uint32_t x) {
  if (x < 2) return x;
  uint32_t a = fib(x - 1);
  uint32_t b = fib(x - 2);
  return (a + b) ^ (x & 0x80000000u);
}
ENTRY uint32_t RUN(uint32_t n) {
  uint32_t cs = 0;
  for (uint32_t it = 0; it < n; it++) { uint32_t x = 20; __asm__ volatile("" : "+r"(x)); cs = cs * 5u + fib(x); }
  return cs;
}
