/* SPDX-License-Identifier: Apache-2.0 */

#ifndef TESTS_PERIPHERALS_SUPPORT_H_
#define TESTS_PERIPHERALS_SUPPORT_H_

#include <wisp/wisp.h>

#define FIRST  WISP_APP_DT_GET(DT_PATH(wisp_apps, first))
#define SECOND WISP_APP_DT_GET(DT_PATH(wisp_apps, second))

/* Loads an image into an app and starts it. */
void begin(const struct wisp_app *app, const char *image);

/* Waits for an app's end. Its guest must have found nothing wrong. */
void succeed(const struct wisp_app *app);

/* Stops an app and waits for its end, which must be that of a stopped app. */
void stop(const struct wisp_app *app);

/* Waits until a guest has called holds() of test:board@1. */
void wait_until_held(void);

/* Returns how often the converter with outputs was written to. */
int dac_written(void);

#endif /* TESTS_PERIPHERALS_SUPPORT_H_ */
