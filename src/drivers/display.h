/* SPDX-License-Identifier: Apache-2.0 */

/* Grants of displays, or of rectangles of them. */

#ifndef WISP_DRIVERS_DISPLAY_H_
#define WISP_DRIVERS_DISPLAY_H_

#include <zephyr/device.h>

#include "drivers/owner.h"

/* The state of one grant, zero at first. */
struct wisp_display {
	struct wisp_owner owner;
	/* The app has set the brightness. */
	bool is_set;
};

struct wisp_display_grant {
	const char *name;
	const struct device *device;
	struct wisp_display *display;
	/* x, y, width and height. If all are 0, the whole display. */
	const uint32_t *area;
};

/* The area of a grant without one. */
extern const uint32_t wisp_display_whole[];

/* clang-format off */
#define DISPLAY_AREAS(node_id)                                                                     \
	BUILD_ASSERT(DT_PROP_LEN(node_id, display_areas) == 4 * DT_PROP_LEN(node_id, displays),    \
		     "wisp,apps: " DT_NODE_PATH(node_id) " needs four numbers in display-areas "   \
						 "for each in displays");                          \
	static const uint32_t TABLE(node_id, display_areas)[] = DT_PROP(node_id, display_areas);
#define display_STATE(node_id)                                                                     \
	static struct wisp_display TABLE(node_id, display_states)[DT_PROP_LEN(node_id, displays)]; \
	COND_CODE_1(DT_NODE_HAS_PROP(node_id, display_areas), (DISPLAY_AREAS(node_id)), ())
#define display_GRANT(node_id, prop, idx) {                                                        \
	.name = DT_PROP_BY_IDX(node_id, display_names, idx),                                       \
	.device = DEVICE_DT_GET(DT_PHANDLE_BY_IDX(node_id, prop, idx)),                            \
	.display = &TABLE(node_id, display_states)[idx],                                           \
	.area = COND_CODE_1(DT_NODE_HAS_PROP(node_id, display_areas),                              \
			    (&TABLE(node_id, display_areas)[4 * idx]), (wisp_display_whole)),      \
},
/* clang-format on */

#endif /* WISP_DRIVERS_DISPLAY_H_ */
