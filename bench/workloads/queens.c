/* SPDX-License-Identifier: Apache-2.0 */
#include "wl.h"
/* all solutions of seven queens, by backtracking over an array */
static int8_t column[8];
static int safe(int row, int at) {
  for (int i = 0; i < row; i++) {
    int difference = column[i] - at;
    if (difference == 0 || difference == row - i || difference == i - row) return 0;
  }
  return 1;
}
static NOINLINE uint32_t place(int row) {
  if (row == 7) return 1;
  uint32_t found = 0;
  for (int at = 0; at < 7; at++)
    if (safe(row, at)) { column[row] = (int8_t)at; found += place(row + 1); }
  return found;
}
ENTRY uint32_t RUN(uint32_t n) {
  uint32_t sum = 0;
  for (uint32_t it = 0; it < n; it++) sum = sum * 3u + place(0) + (uint8_t)column[it & 3];
  return sum;
}
