/* SPDX-License-Identifier: Apache-2.0 */

#ifndef TESTS_APPS_SUPPORT_H_
#define TESTS_APPS_SUPPORT_H_

#include <wisp/wisp.h>

#include "../guests/behaviour.h"

/* The app without grants that most tests use. */
extern const struct wisp_app plain;

/* The app that the devicetree grants pins. */
#define FIRST  WISP_APP_DT_GET(DT_PATH(wisp_apps, first))
#define SECOND WISP_APP_DT_GET(DT_PATH(wisp_apps, second))

/* Chooses what the guest `behaviours` does in an app, and starts it. */
void begin(const struct wisp_app *app, enum behaviour behaviour);

/* Waits for an app's end and gives its outcome. */
struct wisp_app_status outcome(const struct wisp_app *app);

/* Both of the above. */
struct wisp_app_status behave(const struct wisp_app *app, enum behaviour behaviour);

/* Loads and runs an image to its end. */
struct wisp_app_status run_image(const struct wisp_app *app, const char *image);

/* What guests told by calling test.report, since begin(). */
extern uint64_t reported[16];
extern atomic_t report_count;

#endif /* TESTS_APPS_SUPPORT_H_ */
