/* SPDX-License-Identifier: Apache-2.0 */

#include "app/rate.h"

#include <zephyr/sys/util.h>

bool wisp_rate_take(struct wisp_rate *rate, const struct wisp_rate_limit *limit, int64_t now_ms,
		    uint32_t cost)
{
	int64_t elapsed = now_ms - rate->at_ms;
	uint64_t gone;

	if (limit->budget == 0) {
		return true;
	}
	if (elapsed >= limit->period_ms) {
		gone = UINT32_MAX;
	} else {
		gone = (uint64_t)MAX(elapsed, 0) * limit->budget / limit->period_ms;
	}
	if (gone >= rate->level) {
		rate->level = 0;
		rate->at_ms = now_ms;
	} else if (gone > 0) {
		rate->level -= (uint32_t)gone;
		/* The remaining part of a unit is kept. */
		rate->at_ms += (int64_t)(gone * limit->period_ms / limit->budget);
	}
	/* A single request may be larger than the budget. */
	if (rate->level != 0 && (uint64_t)rate->level + cost > limit->budget) {
		return false;
	}
	rate->level += MIN(cost, UINT32_MAX - rate->level);
	return true;
}
