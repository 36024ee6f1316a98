/* SPDX-License-Identifier: Apache-2.0 */

#ifndef TESTS_PERIPHERALS_UART_POWER_H_
#define TESTS_PERIPHERALS_UART_POWER_H_

#include <stdbool.h>
#include <stdint.h>

/* Returns whether the serial port of the apps is resumed. */
bool uart_power_is_on(void);

/* Returns how often the serial port was used while it was suspended. */
uint32_t uart_power_suspended_uses(void);

#endif /* TESTS_PERIPHERALS_UART_POWER_H_ */
