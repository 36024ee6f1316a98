/* SPDX-License-Identifier: Apache-2.0 */

/* Which grants of a device, or of a part of one, are open. Two apps cannot have the same part open.
 */

#ifndef WISP_DRIVERS_OWNER_H_
#define WISP_DRIVERS_OWNER_H_

#include <stdbool.h>
#include <stdint.h>

#include <zephyr/device.h>
#include <zephyr/sys/slist.h>

/* The state of one grant, zero at first. */
struct wisp_owner {
	sys_snode_t node;
	const struct device *device;
	/* All grants of one device have the same of these. */
	union {
		uint32_t part;
		/* x, y, width and height. */
		const uint32_t *area;
	};
};

/* Returns false if another grant of the part is open. Opens this grant otherwise. */
bool wisp_owner_take(struct wisp_owner *own, const struct device *device, uint32_t part);

/*
 * Does the same for an area of a device. Returns false if a grant of an area that overlaps it is
 * open.
 */
bool wisp_owner_take_area(struct wisp_owner *own, const struct device *device,
			  const uint32_t *area);

/* Returns true if the grant is open. */
bool wisp_owner_has(struct wisp_owner *own);

/* Closes the grant. */
void wisp_owner_release(struct wisp_owner *own);

#endif /* WISP_DRIVERS_OWNER_H_ */
