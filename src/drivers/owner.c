/* SPDX-License-Identifier: Apache-2.0 */

#include <zephyr/kernel.h>

#include "drivers/owner.h"

static struct k_spinlock lock;
static sys_slist_t open_grants = SYS_SLIST_STATIC_INIT(&open_grants);

static bool same_part(const struct wisp_owner *a, const struct wisp_owner *b)
{
	return a->part == b->part;
}

/* Opens a grant unless it clashes with an open one of the same device. */
static bool take(struct wisp_owner *own,
		 bool (*clash)(const struct wisp_owner *a, const struct wisp_owner *b))
{
	struct wisp_owner *other;
	bool is_free = true;

	K_SPINLOCK(&lock) {
		SYS_SLIST_FOR_EACH_CONTAINER(&open_grants, other, node) {
			if (other->device == own->device && clash(own, other)) {
				is_free = false;
			}
		}
		if (is_free) {
			sys_slist_append(&open_grants, &own->node);
		}
	}
	return is_free;
}

bool wisp_owner_take(struct wisp_owner *own, const struct device *device, uint32_t part)
{
	own->device = device;
	own->part = part;
	return take(own, same_part);
}

#ifdef CONFIG_WISP_OWNER_AREA
/* Returns true if two ranges have something in common. */
static bool overlap(uint32_t a, uint32_t a_size, uint32_t b, uint32_t b_size)
{
	return a < b ? b - a < a_size : a - b < b_size;
}

static bool areas_overlap(const struct wisp_owner *a, const struct wisp_owner *b)
{
	return overlap(a->area[0], a->area[2], b->area[0], b->area[2]) &&
	       overlap(a->area[1], a->area[3], b->area[1], b->area[3]);
}

bool wisp_owner_take_area(struct wisp_owner *own, const struct device *device, const uint32_t *area)
{
	own->device = device;
	own->area = area;
	return take(own, areas_overlap);
}
#endif

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
