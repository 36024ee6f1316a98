/* SPDX-License-Identifier: Apache-2.0 */

#include <zephyr/drivers/pwm.h>

#include <wisp/wisp.h>

#include "app/grants.h"
#include "border/errno.h"
#include "border/shim.h"

/*
 * Rust passes only indices that a search returned. The check limits the effect of a mistake there.
 */
static const struct pwm_dt_spec *granted(const struct wisp_app *app, uint32_t output)
{
	if (app->grants == NULL || output >= app->grants->pwm_count) {
		return NULL;
	}
	return &app->grants->pwm[output].spec;
}

int32_t wisp_shim_pwm_find(const struct wisp_app *app, const uint8_t *label, size_t length)
{
	return (app->grants == NULL) ? -1
				     : wisp_grant_find(app->grants->pwm, app->grants->pwm_count,
						       sizeof(app->grants->pwm[0]), label, length);
}

uint32_t wisp_shim_pwm_ready(const struct wisp_app *app, uint32_t output)
{
	const struct pwm_dt_spec *spec = granted(app, output);

	return (spec == NULL || !pwm_is_ready_dt(spec)) ? WISP_ENODEV : 0;
}

uint32_t wisp_shim_pwm_period(const struct wisp_app *app, uint32_t output)
{
	const struct pwm_dt_spec *spec = granted(app, output);

	return (spec == NULL) ? 0 : spec->period;
}

uint32_t wisp_shim_pwm_set(const struct wisp_app *app, uint32_t output, uint32_t pulse)
{
	const struct pwm_dt_spec *spec = granted(app, output);
	int ret;

	if (spec == NULL) {
		return WISP_ENODEV;
	}
	if (pulse != 0) {
		app->data->pwm_active |= BIT(output);
	}
	ret = pwm_set_pulse_dt(spec, pulse);
	if (pulse == 0 && ret == 0) {
		app->data->pwm_active &= ~BIT(output);
	}
	return wisp_driver_error(ret);
}
