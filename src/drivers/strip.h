/* SPDX-License-Identifier: Apache-2.0 */

/* Grants of LED strips. */

#ifndef WISP_DRIVERS_STRIP_H_
#define WISP_DRIVERS_STRIP_H_

#include <zephyr/drivers/led_strip.h>

#include "drivers/owner.h"

struct wisp_strip_grant {
	const char *name;
	const struct device *device;
	struct wisp_owner *owner;
	/* What is sent. Drivers may change it. */
	struct led_rgb *pixels;
	uint32_t length;
};

/* clang-format off */
#define STRIP_PIXELS(node_id, idx) _CONCAT(_CONCAT(TABLE(node_id, strip_pixels), _), idx)
#define STRIP_LENGTH(node_id, idx) DT_PROP(DT_PHANDLE_BY_IDX(node_id, led_strips, idx), chain_length)
#define STRIP_DEFINE(node_id, prop, idx)                                                           \
	static struct led_rgb STRIP_PIXELS(node_id, idx)[STRIP_LENGTH(node_id, idx)];
#define strip_STATE(node_id)                                                                       \
	static struct wisp_owner TABLE(node_id, strip_owners)[DT_PROP_LEN(node_id, led_strips)];   \
	DT_FOREACH_PROP_ELEM(node_id, led_strips, STRIP_DEFINE)
#define strip_GRANT(node_id, prop, idx) {                                                          \
	.name = DT_PROP_BY_IDX(node_id, led_strip_names, idx),                                     \
	.device = DEVICE_DT_GET(DT_PHANDLE_BY_IDX(node_id, prop, idx)),                            \
	.owner = &TABLE(node_id, strip_owners)[idx],                                               \
	.pixels = STRIP_PIXELS(node_id, idx),                                                      \
	.length = STRIP_LENGTH(node_id, idx),                                                      \
},
/* clang-format on */

#endif /* WISP_DRIVERS_STRIP_H_ */
