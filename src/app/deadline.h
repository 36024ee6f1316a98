/* SPDX-License-Identifier: Apache-2.0 */

/* Limits the time that an app may run without blocking. */

#ifndef WISP_APP_DEADLINE_H_
#define WISP_APP_DEADLINE_H_

#include <zephyr/sys/util.h>

#include <wisp/wisp.h>

#ifdef CONFIG_WISP_DEADLINE

/* Called by the app's thread before and after its run. */
void wisp_deadline_begin(const struct wisp_app *app);
void wisp_deadline_end(const struct wisp_app *app);

/* Called by the app's thread before and after blocking. */
void wisp_deadline_pause(const struct wisp_app *app);
void wisp_deadline_resume(const struct wisp_app *app);

/* Stops an app whose time is over. Called from the timer's interrupt, defined in stop.c. */
void wisp_app_expire(const struct wisp_app *app);

#else

static inline void wisp_deadline_begin(const struct wisp_app *app)
{
	ARG_UNUSED(app);
}

static inline void wisp_deadline_end(const struct wisp_app *app)
{
	ARG_UNUSED(app);
}

static inline void wisp_deadline_pause(const struct wisp_app *app)
{
	ARG_UNUSED(app);
}

static inline void wisp_deadline_resume(const struct wisp_app *app)
{
	ARG_UNUSED(app);
}

#endif /* CONFIG_WISP_DEADLINE */

struct k_poll_signal;

/*
 * Waits until a signal is raised, the app has to stop, or a number of microseconds has passed. A
 * wait may also end earlier, so the caller looks at its condition and waits again. NULL is no
 * signal. Called by the app's thread, and defined in stop.c.
 */
void wisp_app_wait(const struct wisp_app *app, struct k_poll_signal *signal, uint64_t us);

#endif /* WISP_APP_DEADLINE_H_ */
