/* SPDX-License-Identifier: Apache-2.0 */

/* An emulated device with registers, for what Zephyr's emulators do not do: errors. */

#define DT_DRV_COMPAT wisp_test_registers

#include <errno.h>

#include <zephyr/device.h>
#include <zephyr/drivers/emul.h>
#include <zephyr/drivers/i2c_emul.h>
#include <zephyr/kernel.h>

#include "registers.h"

struct registers registers_of_42;
struct registers registers_of_68;
K_SEM_DEFINE(slow_began, 0, 1);

static int trouble(uint8_t selected)
{
	switch (selected) {
	case REGISTER_EIO:
		return -EIO;
	case REGISTER_ENXIO:
		return -ENXIO;
	case REGISTER_EAGAIN:
		return -EAGAIN;
	case REGISTER_ETIMEDOUT:
		return -ETIMEDOUT;
	case REGISTER_EOVERFLOW:
		return -EOVERFLOW;
	default:
		return 0;
	}
}

static int transfer(const struct emul *target, struct i2c_msg *messages, int count, int address)
{
	struct registers *registers = (address == 0x42) ? &registers_of_42 : &registers_of_68;
	bool selects = true;

	ARG_UNUSED(target);
	registers->transactions++;
	registers->messages = count;
	for (int i = 0; i < count; i++) {
		registers->flags[i % 8] = messages[i].flags;
		if ((messages[i].flags & I2C_MSG_RESTART) != 0) {
			selects = true;
		}
		for (uint32_t k = 0; k < messages[i].len; k++) {
			if ((messages[i].flags & I2C_MSG_READ) != 0) {
				messages[i].buf[k] = registers->values[registers->selected++];
			} else if (selects) {
				registers->selected = messages[i].buf[k];
				selects = false;
			} else {
				registers->values[registers->selected++] = messages[i].buf[k];
			}
		}
		if (trouble(registers->selected) != 0) {
			return trouble(registers->selected);
		}
		if (registers->selected == REGISTER_SLOW) {
			k_sem_give(&slow_began);
			k_msleep(100);
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

#define REGISTERS(inst)                                                                            \
	DEVICE_DT_INST_DEFINE(inst, NULL, NULL, NULL, NULL, POST_KERNEL, 90, NULL);                \
	EMUL_DT_INST_DEFINE(inst, init, NULL, NULL, &api, NULL)

DT_INST_FOREACH_STATUS_OKAY(REGISTERS)
