/* SPDX-License-Identifier: Apache-2.0 */

/* Limits how much an app can do within a period. */

#ifndef WISP_APP_RATE_H_
#define WISP_APP_RATE_H_

#include <stdbool.h>
#include <stdint.h>

#include <wisp/wisp.h>

struct wisp_rate_limit {
	/* Units per period, 0 for no limit. */
	uint32_t budget;
	uint32_t period_ms;
};

/*
 * Takes `cost` units from the budget and returns true, or returns false if the budget does not
 * suffice. An unused budget is available at once, and is refilled evenly over the period.
 */
bool wisp_rate_take(struct wisp_rate *rate, const struct wisp_rate_limit *limit, int64_t now_ms,
		    uint32_t cost);

/* Logs, at the end of a run, how many lines of the app were dropped. */
void wisp_log_end(const struct wisp_app *app);

#endif /* WISP_APP_RATE_H_ */
