/* SPDX-License-Identifier: Apache-2.0 */

#include <zephyr/drivers/i2c.h>

#include <wisp/wisp.h>

#include "app/grants.h"
#include "border/errno.h"
#include "border/shim.h"

/*
 * Rust passes only indices that a search returned. The check limits the effect of a mistake there.
 */
static const struct i2c_dt_spec *granted(const struct wisp_app *app, uint32_t device)
{
	if (app->grants == NULL || device >= app->grants->i2c_count) {
		return NULL;
	}
	return &app->grants->i2c[device].spec;
}

int32_t wisp_shim_i2c_find(const struct wisp_app *app, const uint8_t *label, size_t length)
{
	return (app->grants == NULL) ? -1
				     : wisp_grant_find(app->grants->i2c, app->grants->i2c_count,
						       sizeof(app->grants->i2c[0]), label, length);
}

uint32_t wisp_shim_i2c_ready(const struct wisp_app *app, uint32_t device)
{
	const struct i2c_dt_spec *spec = granted(app, device);

	return (spec == NULL || !i2c_is_ready_dt(spec)) ? WISP_ENODEV : 0;
}

uint32_t wisp_shim_i2c_address(const struct wisp_app *app, uint32_t device)
{
	const struct i2c_dt_spec *spec = granted(app, device);

	return (spec == NULL) ? 0 : spec->addr;
}

uint32_t wisp_shim_i2c_transfer(const struct wisp_app *app, uint32_t device,
				const struct wisp_i2c_message *messages, uint32_t count)
{
	const struct i2c_dt_spec *spec = granted(app, device);
	struct i2c_msg transfer[WISP_I2C_MESSAGES];

	if (spec == NULL) {
		return WISP_ENODEV;
	}
	if (count > ARRAY_SIZE(transfer)) {
		return WISP_EINVAL;
	}
	for (uint32_t i = 0; i < count; i++) {
		transfer[i].buf = messages[i].bytes;
		transfer[i].len = messages[i].length;
		transfer[i].flags = messages[i].read ? I2C_MSG_READ : I2C_MSG_WRITE;
		if (i > 0 && messages[i].read != messages[i - 1].read) {
			transfer[i].flags |= I2C_MSG_RESTART;
		}
		if (i == count - 1) {
			transfer[i].flags |= I2C_MSG_STOP;
		}
	}
	return (count == 0) ? 0
			    : wisp_driver_error(i2c_transfer_dt(spec, transfer, (uint8_t)count));
}
