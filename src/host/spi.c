/* SPDX-License-Identifier: Apache-2.0 */

#include <zephyr/drivers/spi.h>

#include <wisp/wisp.h>

#include "../grants.h"
#include "errno.h"
#include "shim.h"

/* As for pins: the Rust side passes only what was found; the check contains its mistakes. */
static const struct spi_dt_spec *granted(const struct wisp_app *app, uint32_t device)
{
	if (app->grants == NULL || device >= app->grants->spi_count) {
		return NULL;
	}
	return &app->grants->spi[device].spec;
}

int32_t wisp_shim_spi_find(const struct wisp_app *app, const uint8_t *label, size_t length)
{
	return (app->grants == NULL) ? -1
				     : wisp_grant_find(app->grants->spi,
						       app->grants->spi_count,
						       sizeof(app->grants->spi[0]), label, length);
}

uint32_t wisp_shim_spi_ready(const struct wisp_app *app, uint32_t device)
{
	const struct spi_dt_spec *spec = granted(app, device);

	return (spec == NULL || !spi_is_ready_dt(spec)) ? WISP_ENODEV : 0;
}

uint32_t wisp_shim_spi_transfer(const struct wisp_app *app, uint32_t device,
				const struct wisp_spi_operation *operations, uint32_t count)
{
	const struct spi_dt_spec *spec = granted(app, device);
	/* An operation with two lengths takes two buffers. */
	struct spi_buf writes[2 * WISP_SPI_OPERATIONS];
	struct spi_buf reads[2 * WISP_SPI_OPERATIONS];
	struct spi_buf_set tx = {.buffers = writes};
	struct spi_buf_set rx = {.buffers = reads};

	if (spec == NULL) {
		return WISP_ENODEV;
	}
	if (count > WISP_SPI_OPERATIONS) {
		return WISP_EINVAL;
	}
	for (uint32_t i = 0; i < count; i++) {
		const struct wisp_spi_operation *op = &operations[i];
		bool writes_on = op->write_length > op->read_length;
		size_t both = MIN(op->write_length, op->read_length);
		size_t most = MAX(op->write_length, op->read_length);

		if (both > 0) {
			writes[tx.count] = (struct spi_buf){.buf = (void *)op->write, .len = both};
			reads[tx.count++] = (struct spi_buf){.buf = op->read, .len = both};
		}
		if (most > both) {
			writes[tx.count] = (struct spi_buf){
				.buf = writes_on ? (void *)(op->write + both) : NULL,
				.len = most - both,
			};
			reads[tx.count++] = (struct spi_buf){
				.buf = writes_on ? NULL : op->read + both,
				.len = most - both,
			};
		}
	}
	if (tx.count == 0) {
		return 0;
	}
	rx.count = tx.count;
	return wisp_driver_error(spi_transceive_dt(spec, &tx, &rx));
}
