/* SPDX-License-Identifier: Apache-2.0 */

#include <stdint.h>
#include <wisp.h>

#include "check.h"

#define READ_BIT 0x80
#define CHIP_ID  0x00
#define ACC_CONF 0x40

static uint32_t at(const void *object)
{
	return (uint32_t)(uintptr_t)object;
}

static void refused(uint32_t device)
{
	uint8_t byte = 0;

	EXPECT(wisp_spi_read(device, &byte, 1) == -WISP_EBADF);
	EXPECT(wisp_spi_write(device, &byte, 1) == -WISP_EBADF);
	EXPECT(wisp_spi_transfer(device, &byte, 1, NOWHERE, 0) == -WISP_EBADF);
	EXPECT(wisp_spi_transaction(device, NOWHERE, 0) == -WISP_EBADF);
	EXPECT(wisp_spi_close(device) == -WISP_EBADF);
}

static uint8_t read_register(uint32_t device, uint8_t number)
{
	uint8_t command = number | READ_BIT;
	uint8_t value = 0;
	struct wisp_spi_operation operations[] = {
		{WISP_SPI_WRITE, 1, at(&command), 0},
		{WISP_SPI_READ, 1, 0, at(&value)},
	};

	EXPECT(wisp_spi_transaction(device, operations, 2) == 0);
	return value;
}

/* A device that knows when the chip is let go, and fails when it is told to. */
static void registers(void)
{
	int32_t opened = wisp_spi_open_str("registers");
	uint32_t device = (uint32_t)opened;
	uint8_t bytes[] = {0x10, 1, 2, 3};
	uint8_t read[] = {0x90, 0, 0, 0};
	struct wisp_spi_operation operations[] = {
		{WISP_SPI_WRITE, 2, at(bytes), 0},
		{WISP_SPI_DELAY, 20000, at(NOWHERE), at(NOWHERE)},
		{WISP_SPI_WRITE, 2, at(bytes + 2), 0},
	};
	static const struct {
		uint8_t selected;
		int32_t error;
	} all[] = {{0x6f, -WISP_EIO}, {0x70, -WISP_ETIMEDOUT}, {0x71, -WISP_ENOTSUP}};

	EXPECT(opened >= 0);
	EXPECT(wisp_spi_transaction(device, operations, 3) == 0);
	EXPECT(wisp_spi_transfer(device, read, 4, read, 0) == 0);
	for (unsigned int i = 0; i < 3; i++) {
		uint8_t number[] = {all[i].selected, 0};

		EXPECT(wisp_spi_write(device, number, 2) == all[i].error);
	}
	EXPECT(wisp_spi_close(device) == 0);
}

int main(void)
{
	EXPECT(wisp_spi_open_str("display") == -WISP_EACCES);
	refused(0);

	int32_t opened = wisp_spi_open_str("inertial");
	uint32_t device = (uint32_t)opened;
	uint8_t bytes[4] = {CHIP_ID | READ_BIT, 0, 0, 0};

	EXPECT(opened >= 0);
	refused(device + 1);
	refused(0xffffffff);
	EXPECT(read_register(device, CHIP_ID) == 0xd1);

	uint8_t number = ACC_CONF;
	uint8_t value = 0x2c;
	struct wisp_spi_operation write[] = {
		{WISP_SPI_WRITE, 1, at(&number), 0},
		{WISP_SPI_WRITE, 1, at(&value), 0},
	};

	EXPECT(wisp_spi_transaction(device, write, 2) == 0);
	EXPECT(read_register(device, ACC_CONF) == 0x2c);

	/* A delay between them, while the chip stays selected. */
	uint64_t start = wisp_timer_uptime_us();
	struct wisp_spi_operation delayed[] = {
		{WISP_SPI_WRITE, 1, at(&number), 0},
		{WISP_SPI_WRITE, 1, at(&value), 0},
		{WISP_SPI_DELAY, 2000000, at(NOWHERE), at(NOWHERE)},
		{WISP_SPI_WRITE, 1, at(bytes), 0},
		{WISP_SPI_READ, 1, 0, at(bytes + 1)},
		{WISP_SPI_DELAY, 1000, 0, 0},
	};

	EXPECT(wisp_spi_transaction(device, delayed, 6) == 0);
	EXPECT(wisp_timer_uptime_us() - start >= 2000 && bytes[1] == 0xd1);
	delayed[5].length = WISP_SPI_MAX_DELAY;
	EXPECT(wisp_spi_transaction(device, delayed, 6) == -WISP_EINVAL);

	/* The first byte in both directions, the rest is read only: two pieces for the emulator. */
	EXPECT(wisp_spi_transfer(device, bytes, 1, bytes + 1, 2) == 0);
	EXPECT(bytes[2] == 0xd1);
	/* The emulator does not take a register number and data in one piece. */
	EXPECT(wisp_spi_write(device, bytes, 2) == -WISP_EIO);
	EXPECT(wisp_spi_read(device, bytes, 2) == -WISP_EIO);

	EXPECT(wisp_spi_transfer(device, bytes, 2, bytes + 1, 2) == -WISP_EINVAL);
	EXPECT(wisp_spi_read(device, NOWHERE, 32) == -WISP_EFAULT);
	EXPECT(wisp_spi_write(device, NOWHERE, 1) == -WISP_EFAULT);
	EXPECT(wisp_spi_transaction(device, NOWHERE, 1) == -WISP_EFAULT);
	EXPECT(wisp_spi_transaction(device, write, 9) == -WISP_EINVAL);
	write[1].write_address = at(NOWHERE);
	write[1].length = 32;
	EXPECT(wisp_spi_transaction(device, write, 2) == -WISP_EFAULT);
	write[1].kind = 4;
	EXPECT(wisp_spi_transaction(device, write, 2) == -WISP_EINVAL);

	EXPECT(wisp_spi_close(device) == 0);
	refused(device);
	registers();
	return 0;
}
