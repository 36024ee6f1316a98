/* SPDX-License-Identifier: Apache-2.0 */

/* How long apps run, compute and are in host functions, and how often they wake up. */

#ifndef WISP_APP_TIMES_H_
#define WISP_APP_TIMES_H_

#include <zephyr/sys/util.h>

#include <wisp/wisp.h>

#ifdef CONFIG_WISP_TIMES

/* Called by the app's thread at the beginning of a run. */
void wisp_times_begin(const struct wisp_app *app);

/* Called at the end of a run, by the app's thread, or after a fault of it by whoever detects it. */
void wisp_times_end(const struct wisp_app *app);

/* Called by the app's thread when it has waited. */
void wisp_times_woken(const struct wisp_app *app);

#else

static inline void wisp_times_begin(const struct wisp_app *app)
{
	ARG_UNUSED(app);
}

static inline void wisp_times_end(const struct wisp_app *app)
{
	ARG_UNUSED(app);
}

static inline void wisp_times_woken(const struct wisp_app *app)
{
	ARG_UNUSED(app);
}

#endif /* CONFIG_WISP_TIMES */

#endif /* WISP_APP_TIMES_H_ */
