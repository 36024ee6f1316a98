/* SPDX-License-Identifier: Apache-2.0 */

/* Publishes the level of a tank, which rises and falls. */

#include <stdint.h>
#include <stdio.h>
#include <wisp.h>

int main(void)
{
	int32_t level = wisp_msg_open_str("level", WISP_MSG_PUBLISH);
	uint32_t percent = 50;
	int step = 10;

	if (level < 0) {
		printf("no channel: %d\n", (int)level);
		return 1;
	}
	for (;;) {
		int32_t lost = wisp_msg_publish(level, (const uint8_t *)&percent, sizeof(percent));

		printf("level %u %%\n", (unsigned int)percent);
		if (lost != 0) {
			printf("%d receivers missed it\n", (int)lost);
		}
		if (percent == 90 || percent == 10) {
			step = -step;
		}
		percent += step;
		wisp_timer_sleep_ms(100);
	}
}
