/* SPDX-License-Identifier: Apache-2.0 */
#include "wl.h"
/* reads a JSON text: nesting, strings, numbers, as a device reads its settings */
static const char text[] =
  "{\"name\":\"greenhouse 4\",\"interval\":300,\"limits\":{\"low\":-12,\"high\":3450,\"alarm\":true},"
  "\"sensors\":[{\"id\":17,\"kind\":\"humidity\",\"scale\":125},{\"id\":18,\"kind\":\"co2\",\"scale\":-4},"
  "{\"id\":19,\"kind\":\"light\",\"scale\":1000,\"note\":\"behind \\\"door\\\"\"}],\"spare\":null,\"window\":[0,15,30,45]}";
static const char *at;
static uint32_t sum;
static void space(void) { while (*at == ' ' || *at == '\n' || *at == '\t') at++; }
static void string(void) {
  uint32_t hash = 5381;
  for (at++; *at && *at != '"'; at++) {
    if (*at == '\\' && at[1]) at++;
    hash = hash * 33u ^ (uint8_t)*at;
  }
  if (*at) at++;
  sum += hash;
}
static void number(void) {
  uint32_t value = 0;
  int negative = *at == '-';
  if (negative) at++;
  while (*at >= '0' && *at <= '9') value = value * 10u + (uint32_t)(*at++ - '0');
  sum = sum * 3u + (negative ? 0u - value : value);
}
static void value(uint32_t depth) {
  space();
  char open = *at;
  if (open == '{' || open == '[') {
    char close = open == '{' ? '}' : ']';
    at++;
    while (*at && *at != close) {
      if (open == '{') { space(); string(); space(); at++; }
      value(depth + 1);
      space();
      if (*at == ',') at++;
    }
    if (*at) at++;
    sum ^= depth;
  } else if (open == '"') {
    string();
  } else if (open == '-' || (open >= '0' && open <= '9')) {
    number();
  } else {
    while (*at >= 'a' && *at <= 'z') sum += (uint8_t)*at++;
  }
}
ENTRY uint32_t RUN(uint32_t n) {
  sum = 0;
  for (uint32_t it = 0; it < n; it++) { at = text; value(it & 7); }
  return sum;
}
