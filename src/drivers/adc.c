/* SPDX-License-Identifier: Apache-2.0 */

#include <zephyr/drivers/adc.h>

#include <wisp/wisp.h>

#include "app/grants.h"
#include "border/errno.h"
#include "border/shim.h"

/*
 * Rust passes only indices that a search returned. The check limits the effect of a mistake there.
 */
static const struct adc_dt_spec *granted(const struct wisp_app *app, uint32_t channel)
{
	if (app->grants == NULL || channel >= app->grants->adc_count) {
		return NULL;
	}
	return &app->grants->adc[channel].spec;
}

int32_t wisp_shim_adc_find(const struct wisp_app *app, const uint8_t *label, size_t length)
{
	return (app->grants == NULL) ? -1
				     : wisp_grant_find(app->grants->adc, app->grants->adc_count,
						       sizeof(app->grants->adc[0]), label, length);
}

uint32_t wisp_shim_adc_setup(const struct wisp_app *app, uint32_t channel)
{
	const struct adc_dt_spec *spec = granted(app, channel);

	if (spec == NULL || !adc_is_ready_dt(spec)) {
		return WISP_ENODEV;
	}
	return wisp_driver_error(adc_channel_setup_dt(spec));
}

uint32_t wisp_shim_adc_resolution(const struct wisp_app *app, uint32_t channel)
{
	const struct adc_dt_spec *spec = granted(app, channel);

	return (spec == NULL) ? 0 : spec->resolution;
}

uint32_t wisp_shim_adc_read(const struct wisp_app *app, uint32_t channel, bool microvolts,
			    int32_t *value)
{
	const struct adc_dt_spec *spec = granted(app, channel);
	/* Drivers write samples of 16 bits, or 32 bits for larger resolutions. */
	union {
		uint16_t half;
		uint32_t whole;
	} sample = {0};
	struct adc_sequence sequence = {
		.buffer = &sample,
		.buffer_size = sizeof(sample),
	};
	bool wide;
	int ret;

	if (spec == NULL) {
		return WISP_ENODEV;
	}
	wide = spec->resolution > 16;
	(void)adc_sequence_init_dt(spec, &sequence);
	ret = adc_read_dt(spec, &sequence);
	if (ret != 0) {
		return wisp_driver_error(ret);
	}
	if (spec->channel_cfg.differential) {
		*value = wide ? (int32_t)sample.whole : (int16_t)sample.half;
	} else {
		*value = (int32_t)(wide ? sample.whole : sample.half);
	}
	return microvolts ? wisp_driver_error(adc_raw_to_microvolts_dt(spec, value)) : 0;
}
