/* SPDX-License-Identifier: Apache-2.0 */

/* Calls of apps to their supervisor: confirmation and heartbeat. */

#include <zephyr/sys/util.h>

#include <wisp/wisp.h>

#include "app/heartbeat.h"
#include "border/shim.h"
#ifdef CONFIG_WISP_STORAGE
#include "storage/storage.h"
#endif

void wisp_shim_confirm(const struct wisp_app *app)
{
#ifdef CONFIG_WISP_STORAGE
	wisp_supervisor_confirmed(app);
#else
	ARG_UNUSED(app);
#endif
}

void wisp_shim_heartbeat(const struct wisp_app *app)
{
	wisp_heartbeat_feed(app);
}
