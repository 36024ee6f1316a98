/* SPDX-License-Identifier: Apache-2.0 */

#ifndef TESTS_PERIPHERALS_REGISTERS_H_
#define TESTS_PERIPHERALS_REGISTERS_H_

#include <zephyr/drivers/i2c.h>
#include <zephyr/kernel.h>

/* Selecting one of these registers fails as named, another reads and writes. */
#define REGISTER_EIO       0xe0
#define REGISTER_ENXIO     0xe1
#define REGISTER_EAGAIN    0xe2
#define REGISTER_ETIMEDOUT 0xe3
#define REGISTER_EOVERFLOW 0xe4
/* Takes its time. */
#define REGISTER_SLOW      0xf0

struct registers {
	uint8_t values[256];
	uint8_t selected;
	/* Of the last transaction. */
	uint8_t flags[8];
	int messages;
	int transactions;
};

extern struct registers registers_of_42;
extern struct registers registers_of_68;

/* Given when a transaction with the slow register begins. */
extern struct k_sem slow_began;

#endif /* TESTS_PERIPHERALS_REGISTERS_H_ */
