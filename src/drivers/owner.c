/* SPDX-License-Identifier: Apache-2.0 */

#include <zephyr/kernel.h>

#include "drivers/owner.h"

static struct k_spinlock lock;
static sys_slist_t open_grants = SYS_SLIST_STATIC_INIT(&open_grants);

bool wisp_owner_take(struct wisp_owner *own, const struct device *device, uint32_t part)
{
	struct wisp_owner *other;
	bool is_free = true;

	K_SPINLOCK(&lock) {
		SYS_SLIST_FOR_EACH_CONTAINER(&open_grants, other, node) {
			if (other->device == device && other->part == part) {
				is_free = false;
			}
		}
		if (is_free) {
			own->device = device;
			own->part = part;
			sys_slist_append(&open_grants, &own->node);
		}
	}
	return is_free;
}

bool wisp_owner_has(struct wisp_owner *own)
{
	bool is_open = false;

	K_SPINLOCK(&lock) {
		is_open = sys_slist_find(&open_grants, &own->node, NULL);
	}
	return is_open;
}

void wisp_owner_release(struct wisp_owner *own)
{
	K_SPINLOCK(&lock) {
		(void)sys_slist_find_and_remove(&open_grants, &own->node);
	}
}
