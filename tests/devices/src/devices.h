/* SPDX-License-Identifier: Apache-2.0 */

/* What the drivers of this test record. */

#ifndef TESTS_DEVICES_DEVICES_H_
#define TESTS_DEVICES_DEVICES_H_

#include <stdbool.h>
#include <stdint.h>

#include "../../peripherals/src/support.h"

/* Returns the brightness of the LED that both apps were granted. */
int led_brightness(void);

/* Returns a pixel of the display that both apps were granted. */
uint16_t display_pixel(uint32_t x, uint32_t y);

/* Returns true if all LEDs of the strip are dark. */
bool strip_is_dark(void);

#endif /* TESTS_DEVICES_DEVICES_H_ */
