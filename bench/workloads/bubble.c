/* SPDX-License-Identifier: Apache-2.0 */
#include "wl.h"
/* bubble sort of 100 ints, reverse order (worst case) */
static int32_t a[100];
ENTRY uint32_t RUN(uint32_t n) {
  uint32_t cs = 1;
  for (uint32_t it = 0; it < n; it++) {
    for (int i = 0; i < 100; i++) a[i] = (int32_t)(100 - i) + (int32_t)(cs & 3);
    for (int i = 0; i < 99; i++)
      for (int j = 0; j < 99 - i; j++)
        if (a[j] > a[j + 1]) { int32_t t = a[j]; a[j] = a[j + 1]; a[j + 1] = t; }
    for (int i = 0; i < 100; i++) cs = cs * 31u + (uint32_t)a[i];
  }
  return cs;
}
