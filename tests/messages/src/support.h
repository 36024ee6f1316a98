/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SUPPORT_H_
#define SUPPORT_H_

#include <wisp/wisp.h>

#define PRODUCER WISP_APP_DT_GET(DT_NODELABEL(producer))
#define CONSUMER WISP_APP_DT_GET(DT_NODELABEL(consumer))
#define SLEEPER  WISP_APP_DT_GET(DT_NODELABEL(sleeper))

/* Starts an image of the firmware as an app. */
void begin(const struct wisp_app *app, const char *image);

/* Waits for the end, which must be a success. */
void succeed(const struct wisp_app *app);

/* Waits for the end. */
struct wisp_app_status ended(const struct wisp_app *app);

#endif /* SUPPORT_H_ */
