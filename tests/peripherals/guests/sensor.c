/* SPDX-License-Identifier: Apache-2.0 */

#include <stdint.h>
#include <wisp.h>

#include "check.h"

static void refused(uint32_t sensor)
{
	int64_t value = 0;

	EXPECT(wisp_sensor_fetch(sensor) == -WISP_EBADF);
	EXPECT(wisp_sensor_get(sensor, WISP_SENSOR_ACCEL_Z, &value) == -WISP_EBADF);
	EXPECT(wisp_sensor_close(sensor) == -WISP_EBADF);
}

int main(void)
{
	int64_t value = 0;

	EXPECT(wisp_sensor_open_str("store") == -WISP_EACCES);
	refused(0);

	int32_t opened = wisp_sensor_open_str("inertial");
	uint32_t sensor = (uint32_t)opened;

	EXPECT(opened >= 0);
	refused(sensor + 1);
	refused(0xffffffff);
	EXPECT(wisp_sensor_fetch(sensor) == 0);
	EXPECT(wisp_sensor_get(sensor, WISP_SENSOR_ACCEL_Z, &value) == 0);
	EXPECT(value > 9700000 && value < 9800000);
	EXPECT(wisp_sensor_get(sensor, WISP_SENSOR_HUMIDITY, &value) == -WISP_ENOTSUP);
	EXPECT(wisp_sensor_get(sensor, 26, &value) == -WISP_EINVAL);
	EXPECT(wisp_sensor_get(sensor, WISP_SENSOR_ACCEL_Z, NOWHERE) == -WISP_EFAULT);
	EXPECT(wisp_sensor_close(sensor) == 0);
	refused(sensor);
	return 0;
}
