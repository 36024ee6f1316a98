/* SPDX-License-Identifier: Apache-2.0 */

/* A sensor with a driver, whose emulator is told what it measures. */

#include <zephyr/drivers/emul.h>
#include <zephyr/drivers/emul_sensor.h>
#include <zephyr/ztest.h>

#include "support.h"

ZTEST_SUITE(sensor, NULL, NULL, NULL, NULL, NULL);

ZTEST(sensor, test_functions_and_errors)
{
	const struct emul *emul = EMUL_DT_GET(DT_NODELABEL(inertial));
	struct sensor_chan_spec channel = {.chan_type = SENSOR_CHAN_ACCEL_Z};
	/* 9.75 m/s^2, as a fraction of 32. */
	q31_t gravity = (q31_t)((975LL << 31) / 3200);

	zassert_ok(emul_sensor_backend_set_channel(emul, channel, &gravity, 5));
	begin(SECOND, "sensor");
	succeed(SECOND);
}
