/* SPDX-License-Identifier: Apache-2.0 */

#include <zephyr/drivers/spi.h>
#include <zephyr/kernel.h>
#include <zephyr/sys/util.h>

#include <wisp/wisp.h>

#include "app/grants.h"
#include "border/errno.h"
#include "border/shim.h"

/*
 * Rust passes only indices that a search returned. The check limits the effect of a mistake there.
 */
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
				     : wisp_grant_find(app->grants->spi, app->grants->spi_count,
						       sizeof(app->grants->spi[0]), label, length);
}

uint32_t wisp_shim_spi_ready(const struct wisp_app *app, uint32_t device)
{
	const struct spi_dt_spec *spec = granted(app, device);

	return (spec == NULL || !spi_is_ready_dt(spec)) ? WISP_ENODEV : 0;
}

/* Delays of this length and more let the thread sleep. */
#define LONGEST_BUSY_NS (50 * NSEC_PER_USEC)

/* Returns false if the app has to stop. The bus is then released. */
static bool delay(const struct wisp_app *app, uint32_t ns)
{
	struct wisp_app_data *data = app->data;
	k_timepoint_t end;
	uint32_t us = DIV_ROUND_UP(ns, NSEC_PER_USEC);

	if (ns < LONGEST_BUSY_NS) {
		k_busy_wait(us);
		return !data->stopping;
	}
	/* The delay does not count as blocking, because other threads wait for the bus. */
	end = sys_timepoint_calc(K_USEC(us));
	while (!data->stopping && k_sem_take(&data->stop, sys_timepoint_timeout(end)) == 0) {
		if (data->stopping) {
			/* The semaphore stays available for the next wait. */
			k_sem_give(&data->stop);
		}
		/* Otherwise it was given for the last run, too late. */
	}
	return !data->stopping;
}

/* Performs operations without delays between them in one transfer of the driver. */
static int transfer(const struct spi_dt_spec *spec, const struct wisp_spi_operation *operations,
		    uint32_t count)
{
	/* An operation with two lengths takes two buffers. */
	struct spi_buf writes[2 * WISP_SPI_OPERATIONS];
	struct spi_buf reads[2 * WISP_SPI_OPERATIONS];
	struct spi_buf_set tx = {.buffers = writes};
	struct spi_buf_set rx = {.buffers = reads};

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
	return spi_transceive_dt(spec, &tx, &rx);
}

static bool delays(const struct wisp_spi_operation *operations, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++) {
		if (operations[i].delay_ns > 0) {
			return true;
		}
	}
	return false;
}

void wisp_spi_end(const struct wisp_app *app)
{
	const struct spi_dt_spec *held = app->data->spi_held;

	if (held != NULL) {
		(void)spi_release_dt(held);
		app->data->spi_held = NULL;
	}
}

uint32_t wisp_shim_spi_transfer(const struct wisp_app *app, uint32_t device,
				const struct wisp_spi_operation *operations, uint32_t count)
{
	const struct spi_dt_spec *spec = granted(app, device);
	uint32_t first = 0;
	int ret = 0;

	if (spec == NULL) {
		return WISP_ENODEV;
	}
	if (count > WISP_SPI_OPERATIONS) {
		return WISP_EINVAL;
	}
	if (!delays(operations, count)) {
		return wisp_driver_error(transfer(spec, operations, count));
	}
	/* Drivers identify a configuration by its address, so there are two in flash. */
	spec = &app->grants->spi[device].held;
	app->data->spi_held = spec;
	for (uint32_t i = 0; i < count && ret == 0; i++) {
		if (operations[i].delay_ns > 0) {
			ret = transfer(spec, &operations[first], i - first);
			first = i + 1;
			if (ret == 0 && !delay(app, operations[i].delay_ns)) {
				ret = -ECANCELED;
			}
		}
	}
	if (ret == 0) {
		ret = transfer(spec, &operations[first], count - first);
	}
	wisp_spi_end(app);
	return (ret == -ECANCELED) ? WISP_ECANCELED : wisp_driver_error(ret);
}
