/* SPDX-License-Identifier: Apache-2.0 */

#ifndef FAKE_ZEPHYR_DRIVERS_I2C_H_
#define FAKE_ZEPHYR_DRIVERS_I2C_H_

struct i2c_dt_spec {
	int unused;
};

#endif /* FAKE_ZEPHYR_DRIVERS_I2C_H_ */
