/* SPDX-License-Identifier: Apache-2.0 */

/* The longest that an app may run without blocking. */

#ifndef WISP_APP_DEADLINE_H_
#define WISP_APP_DEADLINE_H_

#include <zephyr/sys/util.h>

#include <wisp/wisp.h>

#ifdef CONFIG_WISP_DEADLINE

/* In the app's thread: around its run. */
void wisp_deadline_begin(const struct wisp_app *app);
void wisp_deadline_end(const struct wisp_app *app);

/* In the app's thread: around what blocks. */
void wisp_deadline_pause(const struct wisp_app *app);
void wisp_deadline_resume(const struct wisp_app *app);

/* In stop.c: stops an app whose time is over. Called from the timer's interrupt. */
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

#endif /* WISP_APP_DEADLINE_H_ */
