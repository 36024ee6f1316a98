/* SPDX-License-Identifier: Apache-2.0 */
#include "wl.h"
/* bytecode VM: 256-op program, half via switch (br_table), half via function pointers (call_indirect) */
typedef uint32_t (*op_t)(uint32_t, uint32_t);
static NOINLINE uint32_t o0(uint32_t a, uint32_t b){return a+b;}
static NOINLINE uint32_t o1(uint32_t a, uint32_t b){return a^(b<<1);}
static NOINLINE uint32_t o2(uint32_t a, uint32_t b){return a*3u+b;}
static NOINLINE uint32_t o3(uint32_t a, uint32_t b){return (a>>1)|(b<<31);}
static const op_t tab[4] = {o0,o1,o2,o3};
static uint8_t prog[256];
ENTRY uint32_t RUN(uint32_t n) {
  uint32_t r = 12345u, acc = 0;
  for (int i = 0; i < 256; i++) { r = r * 1664525u + 1013904223u; prog[i] = (uint8_t)(r >> 24); }
  for (uint32_t it = 0; it < n; it++)
    for (int i = 0; i < 256; i++) {
      uint32_t op = prog[i];
      acc = tab[op & 3](acc, op);
      switch ((op >> 2) & 7) {
        case 0: acc += 7; break;
        case 1: acc ^= acc >> 5; break;
        case 2: acc *= 5; break;
        case 3: acc -= op << 4; break;
        case 4: acc = (acc << 7) | (acc >> 25); break;
        case 5: acc ^= 0x5a5a5a5au; break;
        case 6: acc = ~acc; break;
        default: acc += acc << 3; break;
      }
    }
  return acc;
}
