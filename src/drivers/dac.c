/* SPDX-License-Identifier: Apache-2.0 */

#include <zephyr/drivers/dac.h>

#include <wisp/wisp.h>

#include "app/grants.h"
#include "border/errno.h"
#include "border/shim.h"

/*
 * Rust passes only indices that a search returned. The check limits the effect of a mistake there.
 */
static const struct wisp_dac_grant *granted(const struct wisp_app *app, uint32_t output)
{
	if (app->grants == NULL || output >= app->grants->dac_count) {
		return NULL;
	}
	return &app->grants->dac[output];
}

int32_t wisp_shim_dac_find(const struct wisp_app *app, const uint8_t *label, size_t length)
{
	return (app->grants == NULL) ? -1
				     : wisp_grant_find(app->grants->dac, app->grants->dac_count,
						       sizeof(app->grants->dac[0]), label, length);
}

uint32_t wisp_shim_dac_setup(const struct wisp_app *app, uint32_t output)
{
	const struct wisp_dac_grant *grant = granted(app, output);

	if (grant == NULL || !device_is_ready(grant->device)) {
		return WISP_ENODEV;
	}
	return wisp_driver_error(dac_channel_setup(grant->device, &grant->channel));
}

uint32_t wisp_shim_dac_resolution(const struct wisp_app *app, uint32_t output)
{
	const struct wisp_dac_grant *grant = granted(app, output);

	return (grant == NULL) ? 0 : grant->channel.resolution;
}

uint32_t wisp_shim_dac_write(const struct wisp_app *app, uint32_t output, uint32_t value)
{
	const struct wisp_dac_grant *grant = granted(app, output);

	int ret;

	if (grant == NULL) {
		return WISP_ENODEV;
	}
	if (value != 0) {
		app->data->dac_active |= BIT(output);
	}
	ret = dac_write_value(grant->device, grant->channel.channel_id, value);
	if (value == 0 && ret == 0) {
		app->data->dac_active &= ~BIT(output);
	}
	return wisp_driver_error(ret);
}
