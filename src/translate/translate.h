/* SPDX-License-Identifier: Apache-2.0 */

/* Machine code that is made of the IR of apps when they start: the memory that it lies in. */

#ifndef WISP_TRANSLATE_TRANSLATE_H_
#define WISP_TRANSLATE_TRANSLATE_H_

#include <wisp/wisp.h>

#include "border/shim.h"

#ifdef CONFIG_WISP_TRANSLATE

/* Sets the members of a run that translated code needs. Called by the app's thread. */
void wisp_translate_prepare(const struct wisp_app *app, struct wisp_run *run);

/* Takes back the memory of an app whose run has ended, in whichever way. */
void wisp_translate_end(const struct wisp_app *app);

#else

static inline void wisp_translate_prepare(const struct wisp_app *app, struct wisp_run *run)
{
	ARG_UNUSED(app);
	ARG_UNUSED(run);
}

static inline void wisp_translate_end(const struct wisp_app *app)
{
	ARG_UNUSED(app);
}

#endif /* CONFIG_WISP_TRANSLATE */

#endif /* WISP_TRANSLATE_TRANSLATE_H_ */
