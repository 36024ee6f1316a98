/* SPDX-License-Identifier: Apache-2.0 */

/* The profile of one app: samples of where it stands. */

#ifndef WISP_APP_PROFILE_H_
#define WISP_APP_PROFILE_H_

#include <stdbool.h>
#include <stdint.h>

#include <zephyr/sys/util.h>

#include <wisp/wisp.h>

#ifdef CONFIG_WISP_PROFILE

/*
 * Begins the profile of an app, which ends after a time in milliseconds or with the app. It takes
 * the place of the one before. Returns false if the app does not run.
 */
bool wisp_profile_begin(const struct wisp_app *app, uint32_t ms);

/* Called when a run of the app has ended. The profile is kept. */
void wisp_profile_ended(const struct wisp_app *app);

/* Forgets what is kept of an app. */
void wisp_profile_forget(const struct wisp_app *app);

#else

static inline void wisp_profile_ended(const struct wisp_app *app)
{
	ARG_UNUSED(app);
}

static inline void wisp_profile_forget(const struct wisp_app *app)
{
	ARG_UNUSED(app);
}

#endif /* CONFIG_WISP_PROFILE */

#endif /* WISP_APP_PROFILE_H_ */
