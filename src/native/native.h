/* SPDX-License-Identifier: Apache-2.0 */

/* Native code of images, as far as it concerns C. */

#ifndef WISP_NATIVE_NATIVE_H_
#define WISP_NATIVE_NATIVE_H_

#include <wisp/wisp.h>

#include "border/shim.h"

#ifdef CONFIG_WISP_NATIVE

/*
 * Says whether native code of an image may run. For images that are not part of the firmware
 * this checks the signature: about 7 KB of stack.
 */
enum wisp_native wisp_native_decide(const struct wisp_app *app, const uint8_t *image, size_t size);

/* Fills in what a run has to know, in the thread of the app. */
void wisp_native_prepare(const struct wisp_app *app, struct wisp_run *run);

/* The same, for native code in user mode. */
void wisp_user_prepare(const struct wisp_app *app, struct wisp_run *run);

/*
 * Ends native code that does not look at its stop flag. To be called after the flag was set,
 * from any context; what has to be done is done by the system work queue.
 */
void wisp_native_stop(const struct wisp_app *app);

/* The app's thread ended in its guest, as one that faults does: its run will not go on. */
void wisp_native_forget(const struct wisp_app *app);

#else

static inline void wisp_native_forget(const struct wisp_app *app)
{
	ARG_UNUSED(app);
}

static inline void wisp_native_stop(const struct wisp_app *app)
{
	ARG_UNUSED(app);
}

#endif /* CONFIG_WISP_NATIVE */

#endif /* WISP_NATIVE_NATIVE_H_ */
