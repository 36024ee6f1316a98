/* SPDX-License-Identifier: Apache-2.0 */

/*
 * An emulated SPI device that takes its bytes as a wire brings them, in whatever pieces: the
 * first is a register's number, with bit 7 to read. For what Zephyr's emulators do not do:
 * errors, and transfers between which the chip stays selected.
 */

#define DT_DRV_COMPAT wisp_test_spi_registers

#include <errno.h>

#include <zephyr/device.h>
#include <zephyr/drivers/emul.h>
#include <zephyr/drivers/spi.h>
#include <zephyr/drivers/spi_emul.h>
#include <zephyr/kernel.h>

#include "registers.h"

struct spi_registers spi_registers;
K_SEM_DEFINE(slow_spi_began, 0, 1);

static uint8_t exchange(struct spi_registers *device, uint8_t written)
{
	uint8_t read = 0;

	if (!device->selected) {
		device->selected = true;
		device->reads = (written & 0x80) != 0;
		device->at = written & 0x7f;
		return 0;
	}
	if (device->reads) {
		read = device->values[device->at];
	} else {
		device->values[device->at] = written;
	}
	device->at = (device->at + 1) % sizeof(device->values);
	return read;
}

/* The bytes of a set one after the other. False at its end. */
static bool next(const struct spi_buf_set *set, size_t *buffer, size_t *byte, uint8_t **place)
{
	while (set != NULL && *buffer < set->count) {
		const struct spi_buf *found = &set->buffers[*buffer];

		if (*byte < found->len) {
			*place = (found->buf == NULL) ? NULL : (uint8_t *)found->buf + *byte;
			(*byte)++;
			return true;
		}
		(*buffer)++;
		*byte = 0;
	}
	return false;
}

static int io(const struct emul *target, const struct spi_config *config,
	      const struct spi_buf_set *tx, const struct spi_buf_set *rx)
{
	size_t tx_buffer = 0;
	size_t tx_byte = 0;
	size_t rx_buffer = 0;
	size_t rx_byte = 0;

	ARG_UNUSED(target);
	spi_registers.transfers++;
	for (;;) {
		uint8_t *from = NULL;
		uint8_t *to = NULL;
		bool writes = next(tx, &tx_buffer, &tx_byte, &from);
		bool reads = next(rx, &rx_buffer, &rx_byte, &to);
		uint8_t read;

		if (!writes && !reads) {
			break;
		}
		read = exchange(&spi_registers, (from == NULL) ? 0 : *from);
		if (to != NULL) {
			*to = read;
		}
	}
	/* Without the flag the controller lets go of the chip. */
	spi_registers.selected = (config->operation & SPI_HOLD_ON_CS) != 0;
	switch (spi_registers.at) {
	case SPI_REGISTER_EIO:
		return -EIO;
	case SPI_REGISTER_ETIMEDOUT:
		return -ETIMEDOUT;
	case SPI_REGISTER_ENOTSUP:
		return -ENOTSUP;
	case SPI_REGISTER_SLOW:
		k_sem_give(&slow_spi_began);
		k_msleep(100);
		return 0;
	default:
		return 0;
	}
}

static const struct spi_emul_api api = {.io = io};

static int init(const struct emul *target, const struct device *parent)
{
	ARG_UNUSED(target);
	ARG_UNUSED(parent);
	return 0;
}

DEVICE_DT_INST_DEFINE(0, NULL, NULL, NULL, NULL, POST_KERNEL, 90, NULL);
EMUL_DT_INST_DEFINE(0, init, NULL, NULL, &api, NULL)
