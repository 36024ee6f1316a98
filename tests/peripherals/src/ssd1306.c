/* SPDX-License-Identifier: Apache-2.0 */

/* An emulated SSD1306 (Solomon Systech): its display memory in horizontal addressing, on or off. */

#define DT_DRV_COMPAT wisp_test_ssd1306

#include <errno.h>

#include <zephyr/device.h>
#include <zephyr/drivers/emul.h>
#include <zephyr/drivers/i2c_emul.h>
#include <zephyr/kernel.h>

#include "registers.h"

#define CONTROL_COMMANDS 0x00
#define CONTROL_DATA     0x40

struct ssd1306 ssd1306 = {.column_end = SSD1306_COLUMNS - 1, .page_end = SSD1306_PAGES - 1};

/* Bytes that follow a command. */
static int arguments_of(uint8_t command)
{
	switch (command) {
	case 0x21:
	case 0x22:
		return 2;
	case 0x20:
	case 0x81:
	case 0x8d:
	case 0xa8:
	case 0xd3:
	case 0xd5:
	case 0xd9:
	case 0xda:
	case 0xdb:
		return 1;
	default:
		return 0;
	}
}

static void command(const uint8_t *bytes)
{
	switch (bytes[0]) {
	case 0x21:
		ssd1306.column = ssd1306.column_start = bytes[1];
		ssd1306.column_end = bytes[2];
		break;
	case 0x22:
		ssd1306.page = ssd1306.page_start = bytes[1];
		ssd1306.page_end = bytes[2];
		break;
	case 0xae:
	case 0xaf:
		ssd1306.on = (bytes[0] == 0xaf);
		break;
	default:
		break;
	}
}

static void data(uint8_t byte)
{
	ssd1306.memory[ssd1306.page % SSD1306_PAGES][ssd1306.column % SSD1306_COLUMNS] = byte;
	if (ssd1306.column++ < ssd1306.column_end) {
		return;
	}
	ssd1306.column = ssd1306.column_start;
	if (ssd1306.page++ >= ssd1306.page_end) {
		ssd1306.page = ssd1306.page_start;
	}
}

static int write(const uint8_t *bytes, uint32_t length)
{
	uint32_t at = 1;

	if (length == 0 || (bytes[0] != CONTROL_COMMANDS && bytes[0] != CONTROL_DATA)) {
		return -EIO;
	}
	while (at < length) {
		if (bytes[0] == CONTROL_DATA) {
			data(bytes[at++]);
			continue;
		}
		if (at + arguments_of(bytes[at]) >= length) {
			return -EIO;
		}
		command(&bytes[at]);
		at += 1 + arguments_of(bytes[at]);
	}
	return 0;
}

static int transfer(const struct emul *target, struct i2c_msg *messages, int count, int address)
{
	ARG_UNUSED(target);
	ARG_UNUSED(address);
	for (int i = 0; i < count; i++) {
		if ((messages[i].flags & I2C_MSG_READ) != 0 ||
		    write(messages[i].buf, messages[i].len) != 0) {
			return -EIO;
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
