/* SPDX-License-Identifier: Apache-2.0 */

/* Grants of pulse-width modulated outputs. */

#ifndef WISP_DRIVERS_PWM_H_
#define WISP_DRIVERS_PWM_H_

#include <zephyr/drivers/pwm.h>

struct wisp_pwm_grant {
	const char *name;
	struct pwm_dt_spec spec;
};

/* clang-format off */
#define pwm_STATE(node_id)
#define pwm_GRANT(node_id, prop, idx) {                                                            \
	.name = DT_PROP_BY_IDX(node_id, pwm_names, idx),                                           \
	.spec = PWM_DT_SPEC_GET_BY_IDX(node_id, idx),                                              \
},
/* clang-format on */

#endif /* WISP_DRIVERS_PWM_H_ */
