/* SPDX-License-Identifier: Apache-2.0 */

/* How much an app may do within a time. */

#ifndef WISP_APP_RATE_H_
#define WISP_APP_RATE_H_

#include <stdbool.h>
#include <stdint.h>

#include <wisp/wisp.h>

struct wisp_rate_limit {
	/* Units within the period; 0 for no limit. */
	uint32_t budget;
	uint32_t period_ms;
};

/*
 * Takes `cost` units and returns true, or takes nothing and returns false. The whole budget
 * can be taken at once, and comes back evenly over the period.
 */
bool wisp_rate_take(struct wisp_rate *rate, const struct wisp_rate_limit *limit, int64_t now_ms,
		    uint32_t cost);

/* Tells how many lines of an app were dropped, at the end of its run. */
void wisp_log_end(const struct wisp_app *app);

#endif /* WISP_APP_RATE_H_ */
