/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Keeps a room at a temperature. An analog sensor (TMP36, 10 mV per degree, 500 mV at 0 C) measures
 * it. A PWM output drives a heater, and a button raises the wanted temperature by one degree. The
 * app waits for its timer and for edges of the button, without taking CPU time.
 */

#include <stdint.h>
#include <stdio.h>
#include <wisp.h>

#define PERIOD_US 250000
/*
 * Percent of heating power per tenth of a degree below the wanted temperature. Two degrees below,
 * the heater has full power.
 */
#define GAIN      5

static uint32_t opened(int32_t handle, const char *what)
{
	if (handle < 0) {
		printf("no %s: error %d\n", what, (int)-handle);
		wisp_wasi_proc_exit(1);
	}
	return (uint32_t)handle;
}

/* Wanted temperature in tenths of a degree. */
static int32_t temperature(uint32_t sensor)
{
	int32_t microvolts = 0;

	if (wisp_adc_read_uv(sensor, &microvolts) != 0) {
		printf("the sensor cannot be read\n");
		wisp_wasi_proc_exit(2);
	}
	return (microvolts - 500000) / 1000;
}

int main(void)
{
	uint32_t sensor = opened(wisp_adc_open_str("temperature"), "sensor");
	uint32_t heater = opened(wisp_pwm_open_str("heater"), "heater");
	uint32_t button = opened(wisp_gpio_open_str("warmer", WISP_GPIO_INPUT), "button");
	int32_t wanted = 200;
	int32_t said = -1;
	uint32_t period = 0;

	opened(wisp_pwm_period(heater, &period), "period");
	opened(wisp_gpio_watch(button, WISP_GPIO_EDGE_ACTIVE), "edges of the button");
	wisp_timer_start(0, 0, PERIOD_US);
	for (;;) {
		struct wisp_event_event event;

		if (wisp_event_wait(WISP_EVENT_FOREVER, &event) != 0) {
			continue;
		}
		if (event.kind == WISP_EVENT_EDGE) {
			wanted += 10;
			printf("set to %d C\n", (int)(wanted / 10));
			continue;
		}

		int32_t is = temperature(sensor);
		int32_t power = (wanted - is) * GAIN;

		power = (power < 0) ? 0 : (power > 100) ? 100 : power;
		wisp_pwm_set(heater, period / 100 * (uint32_t)power);
		/* Print only changes of a whole degree. */
		if (is / 10 != said) {
			said = is / 10;
			printf("%d C, heater at %d %%\n", (int)said, (int)power);
		}
	}
}
