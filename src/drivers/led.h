/* SPDX-License-Identifier: Apache-2.0 */

/* Grants of LEDs. */

#ifndef WISP_DRIVERS_LED_H_
#define WISP_DRIVERS_LED_H_

#include <zephyr/drivers/led.h>

#include "drivers/owner.h"

struct wisp_led_grant {
	const char *name;
	struct led_dt_spec spec;
	struct wisp_owner *owner;
};

/* clang-format off */
#define led_STATE(node_id)                                                                         \
	static struct wisp_owner TABLE(node_id, led_owners)[DT_PROP_LEN(node_id, leds)];
#define led_GRANT(node_id, prop, idx) {                                                            \
	.name = DT_PROP_BY_IDX(node_id, led_names, idx),                                           \
	.spec = LED_DT_SPEC_GET(DT_PHANDLE_BY_IDX(node_id, prop, idx)),                            \
	.owner = &TABLE(node_id, led_owners)[idx],                                                 \
},
/* clang-format on */

#endif /* WISP_DRIVERS_LED_H_ */
