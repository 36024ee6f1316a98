/* SPDX-License-Identifier: Apache-2.0 */

#include <wisp.h>

int main(void)
{
	struct wisp_event_event event;

	for (;;) {
		wisp_event_wait(WISP_EVENT_FOREVER, &event);
	}
}
