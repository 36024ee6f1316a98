/* SPDX-License-Identifier: Apache-2.0 */

/* Grants of analog inputs. */

#ifndef WISP_DRIVERS_ADC_H_
#define WISP_DRIVERS_ADC_H_

#include <zephyr/drivers/adc.h>

struct wisp_adc_grant {
	const char *name;
	struct adc_dt_spec spec;
};

/* clang-format off */
#define adc_STATE(node_id)
#define adc_GRANT(node_id, prop, idx) {                                                            \
	.name = DT_PROP_BY_IDX(node_id, io_channel_names, idx),                                    \
	.spec = ADC_DT_SPEC_GET_BY_IDX(node_id, idx),                                              \
},
/* clang-format on */

#endif /* WISP_DRIVERS_ADC_H_ */
