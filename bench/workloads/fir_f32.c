/* SPDX-License-Identifier: Apache-2.0 */
#include "wl.h"
/* 32-tap f32 FIR over 64 samples */
static float x[96], c[32], y[64];
ENTRY uint32_t RUN(uint32_t n) {
  uint32_t cs = 0;
  for (int i = 0; i < 96; i++) x[i] = (float)((i * 37) % 64) * 0.03125f - 1.0f;
  for (int i = 0; i < 32; i++) c[i] = (float)(i - 16) * 0.0625f;
  for (uint32_t it = 0; it < n; it++) {
    x[it & 63] = (float)(cs & 15) * 0.125f;
    for (int i = 0; i < 64; i++) {
      float s = 0.0f;
      for (int k = 0; k < 32; k++) s += x[i + k] * c[k];
      y[i] = s;
    }
    union { float f; uint32_t u; } q; q.f = y[it & 63] + y[63];
    cs = cs * 31u + q.u;
  }
  return cs;
}
