/* SPDX-License-Identifier: Apache-2.0 */

#include <stdint.h>
#include <wisp.h>

#include "check.h"

static uint32_t at(const void *object)
{
	return (uint32_t)(uintptr_t)object;
}

static void refused(uint32_t device)
{
	uint8_t byte = 0;
	struct wisp_i2c_operation operation = {WISP_I2C_WRITE, at(&byte), 1};

	EXPECT(wisp_i2c_read(device, &byte, 1) == -WISP_EBADF);
	EXPECT(wisp_i2c_write(device, &byte, 1) == -WISP_EBADF);
	EXPECT(wisp_i2c_write_read(device, &byte, 1, NOWHERE, 0) == -WISP_EBADF);
	EXPECT(wisp_i2c_transaction(device, &operation, 1) == -WISP_EBADF);
	EXPECT(wisp_i2c_address(device) == -WISP_EBADF);
	EXPECT(wisp_i2c_close(device) == -WISP_EBADF);
}

static void errors(uint32_t device)
{
	static const struct {
		uint8_t selected;
		int32_t error;
	} all[] = {
		{0xe0, -WISP_EIO},       {0xe1, -WISP_ENXIO},     {0xe2, -WISP_EAGAIN},
		{0xe3, -WISP_ETIMEDOUT}, {0xe4, -WISP_EOVERFLOW},
	};
	uint8_t byte = 0;

	for (unsigned int i = 0; i < 5; i++) {
		EXPECT(wisp_i2c_write(device, &all[i].selected, 1) == all[i].error);
		EXPECT(wisp_i2c_write_read(device, &all[i].selected, 1, &byte, 1) == all[i].error);
	}
}

static void bad_pointers(uint32_t device)
{
	uint8_t bytes[4] = {0};

	EXPECT(wisp_i2c_read(device, NOWHERE, 32) == -WISP_EFAULT);
	EXPECT(wisp_i2c_write(device, NOWHERE, 1) == -WISP_EFAULT);
	EXPECT(wisp_i2c_write_read(device, bytes, 1, NOWHERE, 1) == -WISP_EFAULT);
	EXPECT(wisp_i2c_write_read(device, bytes, 2, bytes + 1, 2) == -WISP_EINVAL);
	EXPECT(wisp_i2c_open(NOWHERE, 4) == -WISP_EFAULT);
	EXPECT(wisp_i2c_transaction(device, NOWHERE, 1) == -WISP_EFAULT);
	EXPECT(wisp_i2c_transaction(device, bytes, 0x10000000) == -WISP_EINVAL);

	struct wisp_i2c_operation operations[] = {
		{WISP_I2C_READ, at(bytes), 2},
		{WISP_I2C_READ, at(bytes + 1), 2},
	};

	EXPECT(wisp_i2c_transaction(device, operations, 2) == -WISP_EINVAL);
	operations[1].address = at(NOWHERE);
	EXPECT(wisp_i2c_transaction(device, operations, 2) == -WISP_EFAULT);
	operations[1].kind = 2;
	operations[1].address = 0;
	EXPECT(wisp_i2c_transaction(device, operations, 2) == -WISP_EINVAL);
}

int main(void)
{
	/* Another app's device, and none at all. */
	EXPECT(wisp_i2c_open_str("imu") == -WISP_EACCES);
	EXPECT(wisp_i2c_open_str("") == -WISP_EACCES);
	refused(0);
	refused(31);
	refused(0xffffffff);

	int32_t opened = wisp_i2c_open_str("registers");
	uint32_t device = (uint32_t)opened;

	EXPECT(opened >= 0);
	EXPECT(wisp_i2c_open_str("registers") == opened);
	EXPECT(wisp_i2c_address(device) == 0x42);
	refused(device + 1);

	uint8_t write[] = {0x20, 1, 2, 3};
	uint8_t read[4] = {0};

	EXPECT(wisp_i2c_write_read(device, "\0", 1, read, 1) == 0 && read[0] == 0x5a);
	EXPECT(wisp_i2c_write(device, write, 4) == 0);
	EXPECT(wisp_i2c_write(device, write, 1) == 0);
	EXPECT(wisp_i2c_read(device, read, 3) == 0);
	EXPECT(read[0] == 1 && read[1] == 2 && read[2] == 3 && read[3] == 0);
	errors(device);
	bad_pointers(device);

	EXPECT(wisp_i2c_close(device) == 0);
	refused(device);
	EXPECT(wisp_i2c_open_str("registers") == opened);

	struct wisp_i2c_operation operations[] = {
		{WISP_I2C_WRITE, at(write), 1}, {WISP_I2C_WRITE, at(write + 3), 1},
		{WISP_I2C_READ, at(read), 1},   {WISP_I2C_READ, at(read + 2), 2},
		{WISP_I2C_WRITE, at(write), 1},
	};

	EXPECT(wisp_i2c_transaction(device, operations, 5) == 0);
	EXPECT(read[0] == 2 && read[1] == 2 && read[2] == 3 && read[3] == 0);
	return 0;
}
