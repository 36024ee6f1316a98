/* SPDX-License-Identifier: Apache-2.0 */
#include "wl.h"
/* CRC-16/CCITT, bitwise, over 1 KiB */
static uint8_t buf[1024];
ENTRY uint32_t RUN(uint32_t n) {
  for (uint32_t i = 0; i < 1024; i++) buf[i] = (uint8_t)(i * 7u + (i >> 3));
  uint16_t crc = 0xffff;
  for (uint32_t it = 0; it < n; it++)
    for (uint32_t i = 0; i < 1024; i++) {
      crc ^= (uint16_t)((uint16_t)buf[i] << 8);
      for (int b = 0; b < 8; b++)
        crc = (crc & 0x8000) ? (uint16_t)((crc << 1) ^ 0x1021) : (uint16_t)(crc << 1);
    }
  return crc;
}
