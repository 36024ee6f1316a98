/* SPDX-License-Identifier: Apache-2.0 */
#include "wl.h"
/* All of the workloads in one module: what an app of several KB costs to load. Each is compiled on its own. */
#define WORKLOADS(X) X(bubble) X(crc16) X(fib) X(matmul) X(sieve) X(sha256) X(fir_f32) X(mandel_f64) X(hash64) \
  X(vcall) X(hostcall)
#define DECLARE(name) uint32_t run_##name(uint32_t n);
WORKLOADS(DECLARE)
#define ADD(name) cs = cs * 31u + run_##name(n);
ENTRY uint32_t RUN(uint32_t n) {
  uint32_t cs = 0;
  WORKLOADS(ADD)
  return cs;
}
