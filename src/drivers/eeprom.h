/* SPDX-License-Identifier: Apache-2.0 */

/* Grants of EEPROMs. */

#ifndef WISP_DRIVERS_EEPROM_H_
#define WISP_DRIVERS_EEPROM_H_

#include <zephyr/device.h>

#include "drivers/owner.h"

struct wisp_eeprom_grant {
	const char *name;
	const struct device *device;
	struct wisp_owner *owner;
};

/* clang-format off */
#define eeprom_STATE(node_id)                                                                      \
	static struct wisp_owner TABLE(node_id, eeprom_owners)[DT_PROP_LEN(node_id, eeproms)];
#define eeprom_GRANT(node_id, prop, idx) {                                                         \
	.name = DT_PROP_BY_IDX(node_id, eeprom_names, idx),                                        \
	.device = DEVICE_DT_GET(DT_PHANDLE_BY_IDX(node_id, prop, idx)),                            \
	.owner = &TABLE(node_id, eeprom_owners)[idx],                                              \
},
/* clang-format on */

#endif /* WISP_DRIVERS_EEPROM_H_ */
