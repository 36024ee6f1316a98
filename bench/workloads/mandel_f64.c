/* SPDX-License-Identifier: Apache-2.0 */
#include "wl.h"
/* 12x12 mandelbrot points, max 32 iterations, f64 */
ENTRY uint32_t RUN(uint32_t n) {
  uint32_t cs = 0;
  for (uint32_t it = 0; it < n; it++) {
    double off = (double)(cs & 3) * 0.001;
    for (int py = 0; py < 12; py++)
      for (int px = 0; px < 12; px++) {
        double cr = -2.0 + px * 0.25 + off, ci = -1.2 + py * 0.2, zr = 0, zi = 0;
        int k = 0;
        for (; k < 32; k++) {
          double r2 = zr * zr, i2 = zi * zi;
          if (r2 + i2 > 4.0) break;
          zi = 2.0 * zr * zi + ci; zr = r2 - i2 + cr;
        }
        cs = cs * 31u + (uint32_t)k;
      }
  }
  return cs;
}
