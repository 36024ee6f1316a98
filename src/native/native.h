/* SPDX-License-Identifier: Apache-2.0 */

/* Native code of images: decisions and stops. */

#ifndef WISP_NATIVE_NATIVE_H_
#define WISP_NATIVE_NATIVE_H_

#include <wisp/wisp.h>

#include "border/shim.h"

#ifdef CONFIG_WISP_NATIVE

/*
 * Decides whether native code of an image may run. If the image is not part of the firmware, its
 * signature is checked, which takes about 7 KB of stack.
 */
enum wisp_native wisp_native_decide(const struct wisp_app *app, const uint8_t *image, size_t size);

/* Sets the members of a run that native code needs. Called by the app's thread. */
void wisp_native_prepare(const struct wisp_app *app, struct wisp_run *run);

/* Returns true if the processor executes code there, and user threads may read it. */
bool wisp_native_reaches(const uint8_t *image, size_t size);

/* Sets those that native code in user mode needs. */
void wisp_user_prepare(const struct wisp_app *app, struct wisp_run *run);

/*
 * Returns the app whose native code the current thread runs, or NULL. The function k_current_get()
 * may read the thread from thread-local storage. That is on the thread's own stack and cannot be
 * trusted.
 */
const struct wisp_app *wisp_user_current(void);

/*
 * Ends native code that does not read its stop flag. Called from any context, after the flag was
 * set. The system work queue does the work.
 */
void wisp_native_stop(const struct wisp_app *app);

/* Ends the run of an app whose thread was aborted in its guest. */
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
