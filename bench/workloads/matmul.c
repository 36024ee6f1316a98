/* SPDX-License-Identifier: Apache-2.0 */
#include "wl.h"
static int32_t A[16][16], B[16][16], C[16][16];
ENTRY uint32_t RUN(uint32_t n) {
  uint32_t cs = 0;
  for (int i = 0; i < 16; i++) for (int j = 0; j < 16; j++) { A[i][j] = i * 3 - j; B[i][j] = i + j * 5; }
  for (uint32_t it = 0; it < n; it++) {
    A[it & 15][0] = (int32_t)cs;
    for (int i = 0; i < 16; i++)
      for (int j = 0; j < 16; j++) {
        int32_t s = 0;
        for (int k = 0; k < 16; k++) s = (int32_t)((uint32_t)s + (uint32_t)A[i][k] * (uint32_t)B[k][j]);
        C[i][j] = s;
      }
    cs = cs * 31u + (uint32_t)C[it & 15][(it >> 4) & 15] + (uint32_t)C[15][15];
  }
  return cs;
}
