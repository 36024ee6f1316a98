/* SPDX-License-Identifier: Apache-2.0 */

#ifndef WISP_APP_HEARTBEAT_H_
#define WISP_APP_HEARTBEAT_H_

#include <wisp/wisp.h>

#ifdef CONFIG_WISP_HEARTBEAT

/* Called by the app's thread before and after a run, and for each heartbeat of the guest. */
void wisp_heartbeat_begin(const struct wisp_app *app);
void wisp_heartbeat_feed(const struct wisp_app *app);
void wisp_heartbeat_end(const struct wisp_app *app);

#else

static inline void wisp_heartbeat_begin(const struct wisp_app *app)
{
	ARG_UNUSED(app);
}

static inline void wisp_heartbeat_feed(const struct wisp_app *app)
{
	ARG_UNUSED(app);
}

static inline void wisp_heartbeat_end(const struct wisp_app *app)
{
	ARG_UNUSED(app);
}

#endif /* CONFIG_WISP_HEARTBEAT */

#endif /* WISP_APP_HEARTBEAT_H_ */
