/* SPDX-License-Identifier: Apache-2.0 */

/* Grants of sensors with a driver in the firmware. */

#ifndef WISP_DRIVERS_SENSOR_H_
#define WISP_DRIVERS_SENSOR_H_

#include <zephyr/device.h>

struct wisp_sensor_grant {
	const char *name;
	const struct device *spec;
};

/* clang-format off */
#define sensor_STATE(node_id)
#define sensor_GRANT(node_id, prop, idx) {                                                         \
	.name = DT_PROP_BY_IDX(node_id, sensor_names, idx),                                        \
	.spec = DEVICE_DT_GET(DT_PHANDLE_BY_IDX(node_id, prop, idx)),                              \
},
/* clang-format on */

#endif /* WISP_DRIVERS_SENSOR_H_ */
