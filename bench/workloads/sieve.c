/* SPDX-License-Identifier: Apache-2.0 */
#include "wl.h"
static uint8_t s[4097];
ENTRY uint32_t RUN(uint32_t n) {
  uint32_t cs = 0;
  for (uint32_t it = 0; it < n; it++) {
    for (uint32_t i = 0; i <= 4096; i++) s[i] = 1;
    for (uint32_t p = 2; p * p <= 4096; p++)
      if (s[p]) for (uint32_t q = p * p; q <= 4096; q += p) s[q] = 0;
    uint32_t c = 0;
    for (uint32_t i = 2; i <= 4096; i++) c += s[i];
    cs = cs * 31u + c;
  }
  return cs;
}
