/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Simulates the room for the emulated peripherals: it warms up as the heater does, and its button
 * is pressed once.
 */

#include <zephyr/drivers/adc/adc_emul.h>
#include <zephyr/drivers/gpio/gpio_emul.h>
#include <zephyr/drivers/pwm/pwm_fake.h>
#include <zephyr/fff.h>
#include <zephyr/init.h>
#include <zephyr/kernel.h>

DEFINE_FFF_GLOBALS;

#define STEP_MS   50
#define PRESS_MS  3000
#define OUTSIDE_C 10

/* Temperature in thousandths of a degree. */
static int32_t temperature = 17500;
/* Power of the heater in percent. */
static uint32_t power;

static int set_cycles(const struct device *dev, uint32_t channel, uint32_t period, uint32_t pulse,
		      pwm_flags_t flags)
{
	ARG_UNUSED(dev);
	ARG_UNUSED(channel);
	ARG_UNUSED(flags);
	power = pulse * 100 / period;
	return 0;
}

static void step(struct k_timer *timer)
{
	const struct device *port = DEVICE_DT_GET(DT_NODELABEL(room_port));

	ARG_UNUSED(timer);
	/*
	 * Full power raises the temperature by 2 degrees a second. A room that is warmer than
	 * outside cools down.
	 */
	temperature += (int32_t)power - (temperature - OUTSIDE_C * 1000) / 400;
	(void)adc_emul_const_value_set(DEVICE_DT_GET(DT_NODELABEL(room_adc)), 0,
				       (uint32_t)(500 + temperature / 100));
	(void)gpio_emul_input_set(port, 0, k_uptime_get() >= PRESS_MS);
}
static K_TIMER_DEFINE(steps, step, NULL);

static int begin(void)
{
	fake_pwm_set_cycles_fake.custom_fake = set_cycles;
	k_timer_start(&steps, K_NO_WAIT, K_MSEC(STEP_MS));
	return 0;
}
SYS_INIT(begin, APPLICATION, 0);
