/* SPDX-License-Identifier: Apache-2.0 */

/* Arguments and environment of apps: as the management interface sets them, and saved ones. */

#ifndef WISP_APP_ARGUMENTS_H_
#define WISP_APP_ARGUMENTS_H_

#include <stdbool.h>

#include <wisp/wisp.h>

#if CONFIG_WISP_ARGS_SIZE > 0
/* Sets arguments, or the environment, as wisp_app_set_args() and wisp_app_set_env() do. */
int wisp_arguments_set(const struct wisp_app *app, bool env, const struct wisp_strings *strings);
#endif

#ifdef CONFIG_WISP_ARGS_SAVED
/* Reads saved strings, once. Not in the app's thread, whose stack may be too small for it. */
void wisp_arguments_load(const struct wisp_app *app);
#else
static inline void wisp_arguments_load(const struct wisp_app *app)
{
	(void)app;
}
#endif

#endif /* WISP_APP_ARGUMENTS_H_ */
