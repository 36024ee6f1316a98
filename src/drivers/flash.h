/* SPDX-License-Identifier: Apache-2.0 */

/* Grants of areas of flash. */

#ifndef WISP_DRIVERS_FLASH_H_
#define WISP_DRIVERS_FLASH_H_

#include <zephyr/storage/flash_map.h>

#include "drivers/owner.h"

struct wisp_flash_grant {
	const char *name;
	const struct flash_area *area;
	struct wisp_owner *owner;
	/* The bytes of the flash as a rectangle in one row: first byte, 0, length and 1. */
	uint32_t range[4];
};

/* clang-format off */
#define FLASH_CHECK(node_id, prop, idx)                                                            \
	BUILD_ASSERT(DT_NODE_HAS_COMPAT(DT_PARENT(DT_PHANDLE_BY_IDX(node_id, prop, idx)),          \
					fixed_partitions),                                         \
		     "wisp,apps: " DT_NODE_PATH(node_id) " has flash-areas that are no children "  \
						 "of a fixed-partitions node");
#define flash_STATE(node_id)                                                                       \
	static struct wisp_owner TABLE(node_id, flash_owners)[DT_PROP_LEN(node_id, flash_areas)]; \
	DT_FOREACH_PROP_ELEM(node_id, flash_areas, FLASH_CHECK)
#define FLASH_PARTITION(node_id, idx) DT_PHANDLE_BY_IDX(node_id, flash_areas, idx)
#define flash_GRANT(node_id, prop, idx) {                                                          \
	.name = DT_PROP_BY_IDX(node_id, flash_area_names, idx),                                    \
	.area = FIXED_PARTITION_BY_NODE(FLASH_PARTITION(node_id, idx)),                            \
	.owner = &TABLE(node_id, flash_owners)[idx],                                               \
	.range = {DT_REG_ADDR(FLASH_PARTITION(node_id, idx)), 0,                                   \
		  DT_REG_SIZE(FLASH_PARTITION(node_id, idx)), 1},                                  \
},
/* clang-format on */

#endif /* WISP_DRIVERS_FLASH_H_ */
