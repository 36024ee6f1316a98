/* SPDX-License-Identifier: Apache-2.0 */

#ifndef FAKE_ZEPHYR_DRIVERS_PWM_H_
#define FAKE_ZEPHYR_DRIVERS_PWM_H_

struct pwm_dt_spec {
	int unused;
};

#endif /* FAKE_ZEPHYR_DRIVERS_PWM_H_ */
