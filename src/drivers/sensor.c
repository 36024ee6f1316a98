/* SPDX-License-Identifier: Apache-2.0 */

#include <zephyr/drivers/sensor.h>
#include <zephyr/pm/device_runtime.h>

#include <wisp/wisp.h>

#include "app/grants.h"
#include "border/errno.h"
#include "border/shim.h"

/* Zephyr's channels, in the order of the numbers of wisp:sensor@1. */
static const uint8_t channels[] = {
	SENSOR_CHAN_ACCEL_X,  SENSOR_CHAN_ACCEL_Y,  SENSOR_CHAN_ACCEL_Z,      SENSOR_CHAN_GYRO_X,
	SENSOR_CHAN_GYRO_Y,   SENSOR_CHAN_GYRO_Z,   SENSOR_CHAN_MAGN_X,       SENSOR_CHAN_MAGN_Y,
	SENSOR_CHAN_MAGN_Z,   SENSOR_CHAN_DIE_TEMP, SENSOR_CHAN_AMBIENT_TEMP, SENSOR_CHAN_PRESS,
	SENSOR_CHAN_PROX,     SENSOR_CHAN_HUMIDITY, SENSOR_CHAN_LIGHT,        SENSOR_CHAN_ALTITUDE,
	SENSOR_CHAN_PM_2_5,   SENSOR_CHAN_PM_10,    SENSOR_CHAN_DISTANCE,     SENSOR_CHAN_CO2,
	SENSOR_CHAN_VOC,      SENSOR_CHAN_VOLTAGE,  SENSOR_CHAN_CURRENT,      SENSOR_CHAN_POWER,
	SENSOR_CHAN_ROTATION, SENSOR_CHAN_RPM,
};

/*
 * Rust passes only indices that a search returned. The check limits the effect of a mistake there.
 */
static const struct device *granted(const struct wisp_app *app, uint32_t sensor)
{
	if (app->grants == NULL || sensor >= app->grants->sensor_count) {
		return NULL;
	}
	return app->grants->sensor[sensor].spec;
}

int32_t wisp_shim_sensor_find(const struct wisp_app *app, const uint8_t *label, size_t length)
{
	return (app->grants == NULL)
		       ? -1
		       : wisp_grant_find(app->grants->sensor, app->grants->sensor_count,
					 sizeof(app->grants->sensor[0]), label, length);
}

uint32_t wisp_shim_sensor_ready(const struct wisp_app *app, uint32_t sensor)
{
	const struct device *device = granted(app, sensor);

	return (device == NULL || !device_is_ready(device)) ? WISP_ENODEV : 0;
}

/*
 * Resumes a sensor at its first use. It stays resumed until the run ends: a driver may forget the
 * sample when it is suspended.
 */
static int resume(const struct wisp_sensor_grant *grant)
{
	int ret = *grant->resumed ? 0 : pm_device_runtime_get(grant->spec);

	*grant->resumed = ret == 0;
	return ret;
}

void wisp_sensor_end(const struct wisp_app *app)
{
	for (uint32_t i = 0; app->grants != NULL && i < app->grants->sensor_count; i++) {
		const struct wisp_sensor_grant *grant = &app->grants->sensor[i];

		if (*grant->resumed) {
			*grant->resumed = false;
			(void)pm_device_runtime_put(grant->spec);
		}
	}
}

uint32_t wisp_shim_sensor_fetch(const struct wisp_app *app, uint32_t sensor)
{
	const struct device *device = granted(app, sensor);
	int ret;

	if (device == NULL) {
		return WISP_ENODEV;
	}
	ret = resume(&app->grants->sensor[sensor]);
	if (ret == 0) {
		ret = sensor_sample_fetch(device);
	}
	return wisp_driver_error(ret);
}

uint32_t wisp_shim_sensor_get(const struct wisp_app *app, uint32_t sensor, uint32_t channel,
			      int64_t *value)
{
	const struct device *device = granted(app, sensor);
	struct sensor_value sample = {0};
	int ret;

	if (device == NULL) {
		return WISP_ENODEV;
	}
	if (channel >= ARRAY_SIZE(channels)) {
		return WISP_EINVAL;
	}
	ret = sensor_channel_get(device, (enum sensor_channel)channels[channel], &sample);
	/* Drivers report a missing channel with different errors. */
	if (ret == -EINVAL || ret == -ENODATA) {
		return WISP_ENOTSUP;
	}
	*value = sensor_value_to_micro(&sample);
	return wisp_driver_error(ret);
}
