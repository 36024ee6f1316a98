/* SPDX-License-Identifier: Apache-2.0 */

/* An emulated ADS1115 (Texas Instruments SBAS444): four registers of 16 bits, single conversions.
 */

#define DT_DRV_COMPAT wisp_test_ads1115

#include <errno.h>

#include <zephyr/device.h>
#include <zephyr/drivers/emul.h>
#include <zephyr/drivers/i2c_emul.h>
#include <zephyr/kernel.h>
#include <zephyr/sys/byteorder.h>

#include "registers.h"

#define CONVERSION 0
#define CONFIG     1
#define START      BIT(15)

/* What the four inputs hold, in steps of the converter. */
int16_t ads1115_inputs[4];

static uint16_t registers[4] = {[CONFIG] = 0x8583};
static uint8_t pointer;

static void write_config(uint16_t value)
{
	uint16_t mux = (value >> 12) & 7;

	/* Single inputs are 4 to 7. Others of them measure differences. */
	if ((value & START) != 0 && mux >= 4) {
		registers[CONVERSION] = (uint16_t)ads1115_inputs[mux - 4];
	}
	/* Set when no conversion is under way. */
	registers[CONFIG] = value | START;
}

static int transfer(const struct emul *target, struct i2c_msg *messages, int count, int address)
{
	ARG_UNUSED(target);
	ARG_UNUSED(address);
	for (int i = 0; i < count; i++) {
		struct i2c_msg *message = &messages[i];

		if ((message->flags & I2C_MSG_READ) != 0) {
			if (message->len != 2) {
				return -EIO;
			}
			sys_put_be16(registers[pointer], message->buf);
			continue;
		}
		if (message->len == 0 || message->buf[0] > 3) {
			return -EIO;
		}
		pointer = message->buf[0];
		if (message->len == 3 && pointer == CONFIG) {
			write_config(sys_get_be16(&message->buf[1]));
		} else if (message->len == 3) {
			registers[pointer] = sys_get_be16(&message->buf[1]);
		}
	}
	return 0;
}

static const struct i2c_emul_api api = {.transfer = transfer};

static int init(const struct emul *target, const struct device *parent)
{
	ARG_UNUSED(target);
	ARG_UNUSED(parent);
	return 0;
}

DEVICE_DT_INST_DEFINE(0, NULL, NULL, NULL, NULL, POST_KERNEL, 90, NULL);
EMUL_DT_INST_DEFINE(0, init, NULL, NULL, &api, NULL)
