/* SPDX-License-Identifier: Apache-2.0 */
#include "wl.h"
/* base64 of 768 bytes and back */
static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
static uint8_t plain[768], back[768];
static char text[1024];
static NOINLINE void encode(const uint8_t *from, char *to, uint32_t length) {
  for (uint32_t i = 0; i < length; i += 3) {
    uint32_t bits = (uint32_t)from[i] << 16 | (uint32_t)from[i + 1] << 8 | from[i + 2];
    for (int shift = 18; shift >= 0; shift -= 6) *to++ = alphabet[bits >> shift & 63];
  }
}
static uint32_t digit(char c) {
  if (c >= 'A' && c <= 'Z') return (uint32_t)(c - 'A');
  if (c >= 'a' && c <= 'z') return (uint32_t)(c - 'a') + 26;
  if (c >= '0' && c <= '9') return (uint32_t)(c - '0') + 52;
  return c == '+' ? 62 : 63;
}
static NOINLINE void decode(const char *from, uint8_t *to, uint32_t length) {
  for (uint32_t i = 0; i < length; i += 4) {
    uint32_t bits = 0;
    for (int k = 0; k < 4; k++) bits = bits << 6 | digit(from[i + k]);
    *to++ = (uint8_t)(bits >> 16);
    *to++ = (uint8_t)(bits >> 8);
    *to++ = (uint8_t)bits;
  }
}
ENTRY uint32_t RUN(uint32_t n) {
  uint32_t sum = 0;
  for (uint32_t it = 0; it < n; it++) {
    for (uint32_t i = 0; i < 768; i++) plain[i] = (uint8_t)(i * 7u + it * 13u + (i >> 3));
    encode(plain, text, 768);
    decode(text, back, 1024);
    for (uint32_t i = 0; i < 768; i++) sum = sum * 33u + (plain[i] == back[i] ? text[i] : 1u << 31);
  }
  return sum;
}
