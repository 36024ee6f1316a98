/* SPDX-License-Identifier: Apache-2.0 */
#include "wl.h"
/* quicksort of 256 records by key, then a binary search for each key */
struct record { uint32_t key; uint16_t value, next; };
static struct record records[256];
static void sort(struct record *low, struct record *high) {
  while (low < high) {
    uint32_t pivot = low[(high - low) / 2].key;
    struct record *i = low, *j = high;
    while (i <= j) {
      while (i->key < pivot) i++;
      while (j->key > pivot) j--;
      if (i <= j) { struct record t = *i; *i++ = *j; *j-- = t; }
    }
    if (j - low < high - i) { sort(low, j); low = i; } else { sort(i, high); high = j; }
  }
}
static NOINLINE uint32_t find(uint32_t key) {
  uint32_t low = 0, high = 256;
  while (low < high) {
    uint32_t middle = (low + high) / 2;
    if (records[middle].key < key) low = middle + 1; else high = middle;
  }
  return low;
}
ENTRY uint32_t RUN(uint32_t n) {
  uint32_t sum = 0;
  for (uint32_t it = 0; it < n; it++) {
    uint32_t r = it * 77u + 1u;
    for (int i = 0; i < 256; i++) {
      r = r * 1103515245u + 12345u;
      records[i].key = r >> 8;
      records[i].value = (uint16_t)i;
    }
    sort(records, records + 255);
    for (int i = 0; i < 256; i += 3) sum = sum * 5u + find(records[i].key) + records[i].value;
  }
  return sum;
}
