/* SPDX-License-Identifier: Apache-2.0 */

/* Grants of devices on I2C buses. */

#ifndef WISP_DRIVERS_I2C_H_
#define WISP_DRIVERS_I2C_H_

#include <zephyr/drivers/i2c.h>

struct wisp_i2c_grant {
	const char *name;
	struct i2c_dt_spec spec;
};

/* clang-format off */
#define i2c_STATE(node_id)
#define i2c_GRANT(node_id, prop, idx) {                                                            \
	.name = DT_PROP_BY_IDX(node_id, i2c_names, idx),                                           \
	.spec = I2C_DT_SPEC_GET(DT_PHANDLE_BY_IDX(node_id, prop, idx)),                            \
},
/* clang-format on */

#endif /* WISP_DRIVERS_I2C_H_ */
