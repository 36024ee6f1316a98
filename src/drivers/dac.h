/* SPDX-License-Identifier: Apache-2.0 */

/* Grants of analog outputs. */

#ifndef WISP_DRIVERS_DAC_H_
#define WISP_DRIVERS_DAC_H_

#include <zephyr/drivers/dac.h>

struct wisp_dac_grant {
	const char *name;
	const struct device *device;
	struct dac_channel_cfg channel;
};

/* clang-format off */
#define dac_STATE(node_id)                                                                         \
	BUILD_ASSERT(DT_PROP_LEN(node_id, dacs) == DT_PROP_LEN_OR(node_id, dac_resolutions, 0),    \
		     "wisp,apps: " DT_NODE_PATH(node_id) " needs an entry in dac-resolutions "     \
						 "for each in dacs");
#define dac_GRANT(node_id, prop, idx) {                                                            \
	.name = DT_PROP_BY_IDX(node_id, dac_names, idx),                                           \
	.device = DEVICE_DT_GET(DT_PHANDLE_BY_IDX(node_id, prop, idx)),                            \
	.channel = {                                                                               \
		.channel_id = DT_PHA_BY_IDX(node_id, prop, idx, output),                           \
		.resolution = DT_PROP_BY_IDX(node_id, dac_resolutions, idx),                       \
		.buffered = true,                                                                  \
	},                                                                                         \
},
/* clang-format on */

#endif /* WISP_DRIVERS_DAC_H_ */
