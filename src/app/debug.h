/* SPDX-License-Identifier: Apache-2.0 */

/* The debugger on the device. src/border/debug.h describes its requests. */

#ifndef WISP_APP_DEBUG_H_
#define WISP_APP_DEBUG_H_

#include <stddef.h>
#include <stdint.h>

#include <zephyr/sys/util.h>

#include <wisp/wisp.h>

#ifdef CONFIG_WISP_DEBUG

/*
 * Does a request of a workstation about an app. The answer has WISP_DEBUG_ANSWER bytes at most, and
 * its length is returned.
 */
size_t wisp_debug_request(const struct wisp_app *app, const uint8_t *request, size_t length,
			  uint8_t *answer);

/* Called when a run has ended, also by a fault, perhaps while the app was held. */
void wisp_debug_end(const struct wisp_app *app, const struct wisp_app_status *status);

#else

static inline void wisp_debug_end(const struct wisp_app *app, const struct wisp_app_status *status)
{
	ARG_UNUSED(app);
	ARG_UNUSED(status);
}

#endif /* CONFIG_WISP_DEBUG */

#endif /* WISP_APP_DEBUG_H_ */
