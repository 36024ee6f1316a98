/* SPDX-License-Identifier: Apache-2.0 */

#include <zephyr/kernel.h>
#include <zephyr/sys/util.h>

#include <wisp/wisp.h>

#include "app/deadline.h"
#include "app/times.h"
#include "border/shim.h"

/* Longest single wait, well below the range of a 32-bit timeout at any tick rate. */
#define SLICE_US (100 * USEC_PER_SEC)

uint64_t wisp_shim_uptime_us(void)
{
	return k_ticks_to_us_floor64(k_uptime_ticks());
}

uint32_t wisp_shim_uptime_resolution_ns(void)
{
	return MAX(NSEC_PER_SEC / CONFIG_SYS_CLOCK_TICKS_PER_SEC, 1);
}

bool wisp_shim_sleep_us(const struct wisp_app *app, uint64_t duration)
{
	struct wisp_app_data *data = app->data;

	if (duration == 0) {
		/* Yielding does not count as blocking, because other threads may not get to run. */
		k_yield();
		return data->stopping;
	}
	wisp_deadline_pause(app);
	while (!data->stopping && duration > 0) {
		uint32_t slice = MIN(duration, SLICE_US);

		if (k_sem_take(&data->stop, K_USEC(slice)) == 0) {
			if (!data->stopping) {
				/* The semaphore was given for the last run, too late. */
				continue;
			}
			/* The semaphore stays available for the next wait. */
			k_sem_give(&data->stop);
		}
		duration -= slice;
	}
	wisp_deadline_resume(app);
	wisp_times_woken(app);
	return data->stopping;
}
