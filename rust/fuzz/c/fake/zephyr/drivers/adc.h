/* SPDX-License-Identifier: Apache-2.0 */

#ifndef FAKE_ZEPHYR_DRIVERS_ADC_H_
#define FAKE_ZEPHYR_DRIVERS_ADC_H_

struct adc_dt_spec {
	int unused;
};

#endif /* FAKE_ZEPHYR_DRIVERS_ADC_H_ */
