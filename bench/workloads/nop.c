/* SPDX-License-Identifier: Apache-2.0 */
#include "wl.h"
ENTRY uint32_t RUN(uint32_t n) { return n * 3u + 1u; }
