/* SPDX-License-Identifier: Apache-2.0 */

#ifndef FAKE_ZEPHYR_DRIVERS_GPIO_H_
#define FAKE_ZEPHYR_DRIVERS_GPIO_H_

struct gpio_dt_spec {
	int unused;
};

struct gpio_callback {
	int unused;
};

#endif /* FAKE_ZEPHYR_DRIVERS_GPIO_H_ */
