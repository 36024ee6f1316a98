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

/* An SPI device. To end at one of these registers fails as named, or takes its time. */
#define SPI_REGISTER_EIO       0x70
#define SPI_REGISTER_ETIMEDOUT 0x71
#define SPI_REGISTER_ENOTSUP   0x72
#define SPI_REGISTER_SLOW      0x73

struct spi_registers {
	uint8_t values[128];
	uint8_t at;
	bool reads;
	bool selected;
	int transfers;
};

extern struct spi_registers spi_registers;

/* Given when a transfer with the slow register begins. */
extern struct k_sem slow_spi_began;

extern int16_t ads1115_inputs[4];

#define SSD1306_COLUMNS 128
#define SSD1306_PAGES   4

struct ssd1306 {
	/* Eight rows a page, the lowest bit on top. */
	uint8_t memory[SSD1306_PAGES][SSD1306_COLUMNS];
	uint8_t column;
	uint8_t column_start;
	uint8_t column_end;
	uint8_t page;
	uint8_t page_start;
	uint8_t page_end;
	bool on;
};

extern struct ssd1306 ssd1306;

#endif /* TESTS_PERIPHERALS_REGISTERS_H_ */
