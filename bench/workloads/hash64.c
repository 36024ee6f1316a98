/* SPDX-License-Identifier: Apache-2.0 */
#include "wl.h"
/* 1000 splitmix64 steps: i64 mul/xor/shift */
ENTRY uint32_t RUN(uint32_t n) {
  uint64_t s = 1, h = 0;
  for (uint32_t it = 0; it < n; it++)
    for (int i = 0; i < 1000; i++) {
      s += 0x9e3779b97f4a7c15ull;
      uint64_t z = s;
      z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
      z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
      h ^= z ^ (z >> 31);
    }
  return (uint32_t)(h ^ (h >> 32));
}
