/* SPDX-License-Identifier: Apache-2.0 */

/* Grants of sensors with a driver in the firmware. */

#ifndef WISP_DRIVERS_SENSOR_H_
#define WISP_DRIVERS_SENSOR_H_

#include <stdbool.h>

#include <zephyr/device.h>

struct wisp_app;

struct wisp_sensor_grant {
	const char *name;
	const struct device *spec;
	/* True if the sensor was resumed for the app. */
	bool *resumed;
};

#ifdef CONFIG_WISP_SENSOR
/* Lets the sensors that the app has used be suspended. */
void wisp_sensor_end(const struct wisp_app *app);
#else
static inline void wisp_sensor_end(const struct wisp_app *app)
{
	(void)app;
}
#endif

/* clang-format off */
#define sensor_STATE(node_id)                                                                      \
	static bool TABLE(node_id, sensors_resumed)[DT_PROP_LEN(node_id, sensors)];
#define sensor_GRANT(node_id, prop, idx) {                                                         \
	.name = DT_PROP_BY_IDX(node_id, sensor_names, idx),                                        \
	.spec = DEVICE_DT_GET(DT_PHANDLE_BY_IDX(node_id, prop, idx)),                              \
	.resumed = &TABLE(node_id, sensors_resumed)[idx],                                          \
},
/* clang-format on */

#endif /* WISP_DRIVERS_SENSOR_H_ */
