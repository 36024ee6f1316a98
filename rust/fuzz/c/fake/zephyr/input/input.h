/* SPDX-License-Identifier: Apache-2.0 */

#ifndef FAKE_ZEPHYR_INPUT_INPUT_H_
#define FAKE_ZEPHYR_INPUT_INPUT_H_

#include <stdint.h>

/* A device that is always ready. */
struct device {
	int unused;
};

#define device_is_ready(_device) ((_device) != NULL)

struct input_event {
	const struct device *dev;
	uint8_t sync;
	uint8_t type;
	uint16_t code;
	int32_t value;
};

#endif /* FAKE_ZEPHYR_INPUT_INPUT_H_ */
