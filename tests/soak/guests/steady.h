/* SPDX-License-Identifier: Apache-2.0 */

/* Counts in its own steps, tells others, and never fails. */

#ifndef TESTS_SOAK_GUESTS_STEADY_H_
#define TESTS_SOAK_GUESTS_STEADY_H_

#include <stdint.h>
#include <wisp.h>

int main(void)
{
	int32_t level = wisp_msg_open_str("level", WISP_MSG_PUBLISH);

	if (level < 0) {
		return -level;
	}
	for (uint32_t i = STEP;; i += STEP) {
		wisp_timer_sleep_ms(1000);
		wisp_lifecycle_heartbeat();
		if (wisp_msg_publish(level, (uint8_t *)&i, sizeof(i)) < 0) {
			return 1;
		}
		if (i == 3 * STEP) {
			wisp_lifecycle_confirm();
		}
	}
}

#endif /* TESTS_SOAK_GUESTS_STEADY_H_ */
