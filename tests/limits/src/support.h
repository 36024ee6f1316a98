/* SPDX-License-Identifier: Apache-2.0 */

#ifndef TESTS_LIMITS_SUPPORT_H_
#define TESTS_LIMITS_SUPPORT_H_

#include <zephyr/ztest.h>

#include <wisp/wisp.h>

#include "../guests/excess.h"

/* Limits of the devicetree. */
#define TIGHT   WISP_APP_DT_GET(DT_PATH(wisp_apps, tight))
#define SHALLOW WISP_APP_DT_GET(DT_PATH(wisp_apps, shallow))
#define ROOMY   WISP_APP_DT_GET(DT_PATH(wisp_apps, roomy))
#define CRAMPED WISP_APP_DT_GET(DT_PATH(wisp_apps, cramped))
/* Counts beside the others, at a higher priority. */
#define COUNTER WISP_APP_DT_GET(DT_PATH(wisp_apps, counter))

/* Limits of the configuration. */
extern const struct wisp_app loose;

/*
 * On native_sim no time passes while code computes, so nothing ever interrupts a guest
 * that spins.
 */
#define NEEDS_PREEMPTION() Z_TEST_SKIP_IFDEF(CONFIG_ARCH_POSIX)

/* What guests told. */
extern uint32_t reported;
extern volatile uint32_t counted;

/* Starts the guest `excess`, which nests `depth` calls if it is to nest. */
void begin(const struct wisp_app *app, enum excess excess, uint32_t depth);

/* Waits for an app's end and gives its outcome. */
struct wisp_app_status outcome(const struct wisp_app *app);

/* Runs an image to its end. */
struct wisp_app_status run_image(const struct wisp_app *app, const char *image);

/* An app ended with this trap. */
void expect_trap(struct wisp_app_status status, enum wisp_trap trap);

/* Starts the counter. Stops it after it was seen to count. */
void begin_counting(void);
void end_counting(void);

#endif /* TESTS_LIMITS_SUPPORT_H_ */
