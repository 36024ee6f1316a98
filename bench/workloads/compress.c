/* SPDX-License-Identifier: Apache-2.0 */
#include "wl.h"
/* LZ77 with a hash of three bytes, 1 KiB of log lines, and back */
static uint8_t input[1024], packed[1400], output[1024];
static uint16_t heads[256];
static NOINLINE uint32_t compress(void) {
  uint32_t in = 0, out = 0;
  for (int i = 0; i < 256; i++) heads[i] = 0xffff;
  while (in < 1024) {
    uint32_t length = 0, distance = 0;
    if (in + 3 <= 1024) {
      uint32_t hash = (input[in] * 31u + input[in + 1] * 7u + input[in + 2]) & 255;
      uint32_t seen = heads[hash];
      heads[hash] = (uint16_t)in;
      if (seen != 0xffff && in - seen < 255) {
        while (length < 127 && in + length < 1024 && input[seen + length] == input[in + length]) length++;
        distance = in - seen;
      }
    }
    if (length >= 3) {
      packed[out++] = (uint8_t)(0x80 | length);
      packed[out++] = (uint8_t)distance;
      in += length;
    } else {
      packed[out++] = input[in++] & 0x7f;
    }
  }
  return out;
}
static NOINLINE uint32_t expand(uint32_t length) {
  uint32_t in = 0, out = 0;
  while (in < length) {
    uint32_t token = packed[in++];
    if (token & 0x80) {
      uint32_t from = out - packed[in++];
      for (token &= 0x7f; token; token--) output[out++] = output[from++];
    } else {
      output[out++] = (uint8_t)token;
    }
  }
  return out;
}
ENTRY uint32_t RUN(uint32_t n) {
  static const char line[] = "12:04:55 pump 3 pressure 417 kPa\n";
  uint32_t sum = 0;
  for (uint32_t it = 0; it < n; it++) {
    for (uint32_t i = 0, k = 0; i < 1024; i++) {
      input[i] = (uint8_t)(line[k] + (line[k] >= '0' && line[k] <= '9' ? (i / 33u * 7u + it) % 9u / 4u : 0u));
      if (++k == sizeof(line) - 1) k = 0;
    }
    uint32_t length = compress();
    sum = sum * 31u + length + expand(length);
    for (uint32_t i = 0; i < 1024; i += 5) sum = sum * 3u + (uint32_t)(input[i] == output[i]) + output[i];
  }
  return sum;
}
