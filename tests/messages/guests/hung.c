/* SPDX-License-Identifier: Apache-2.0 */

/* Blocks without end, after it was well for a while. */

#include <stdint.h>
#include <wisp.h>

int main(void)
{
	struct wisp_event_event event;

	wisp_lifecycle_heartbeat();
	for (;;) {
		wisp_event_wait(WISP_EVENT_FOREVER, &event);
	}
}
