/* SPDX-License-Identifier: Apache-2.0 */

/* An app with much code and little data, which runs until it is stopped. */

#include <wisp.h>

static volatile unsigned int value;

#define STEP     value = value * 3 + 1;
#define STEPS_8  STEP STEP STEP STEP STEP STEP STEP STEP
#define STEPS_64 STEPS_8 STEPS_8 STEPS_8 STEPS_8 STEPS_8 STEPS_8 STEPS_8 STEPS_8

int main(void)
{
	wisp_lifecycle_confirm();
	for (;;) {
		STEPS_64 STEPS_64 STEPS_64 STEPS_64 wisp_lifecycle_heartbeat();
		wisp_timer_sleep_ms(100);
	}
}
