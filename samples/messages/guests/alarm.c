/* SPDX-License-Identifier: Apache-2.0 */

/* Wants the pump on above 80 % and off below 30 %. */

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <wisp.h>

static uint32_t newest(int32_t level, uint32_t percent)
{
	uint32_t message;

	while (wisp_msg_receive(level, (uint8_t *)&message, sizeof(message)) == sizeof(message)) {
		percent = message;
	}
	return percent;
}

int main(void)
{
	int32_t level = wisp_msg_open_str("level", WISP_MSG_SUBSCRIBE);
	int32_t pump = wisp_msg_open_str("pump", WISP_MSG_PUBLISH);
	uint32_t percent = 50;
	uint32_t on = 0;

	if (level < 0 || pump < 0) {
		printf("no channel: %d, %d\n", (int)level, (int)pump);
		return 1;
	}
	for (;;) {
		struct wisp_event_event event;
		uint32_t wanted;

		if (wisp_event_wait(5000, &event) != 0) {
			printf("the gauge is silent\n");
			continue;
		}
		percent = newest(level, percent);
		wanted = (percent > 80) ? 1 : (percent < 30) ? 0 : on;
		if (wanted != on) {
			on = wanted;
			printf("at %u %%: pump %s\n", (unsigned int)percent, on ? "on" : "off");
			wisp_msg_publish(pump, (const uint8_t *)&on, sizeof(on));
		}
	}
}
