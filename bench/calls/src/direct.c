/* SPDX-License-Identifier: Apache-2.0 */

#include <string.h>

#include <zephyr/drivers/adc.h>
#include <zephyr/drivers/gpio.h>
#include <zephyr/drivers/i2c.h>
#include <zephyr/drivers/pwm.h>
#include <zephyr/drivers/sensor.h>
#include <zephyr/drivers/spi.h>
#include <zephyr/settings/settings.h>
#include <zephyr/sys/printk.h>

#include "clock.h"

#define TIMES 1000
#define NODE  DT_PATH(wisp_apps, first)

#define MEASURE(name, call)                                                                        \
	do {                                                                                       \
		int worst = 0;                                                                     \
		uint32_t start = now();                                                            \
		for (int i = 0; i < TIMES; i++) {                                                  \
			worst |= (call);                                                           \
		}                                                                                  \
		printk("direct %u %u %s\n", TIMES, now() - start, name);               \
		if (worst < 0) {                                                                   \
			printk("failed %s\n", name);                                               \
		}                                                                                  \
	} while (0)

static int load_one(const char *key, size_t length, settings_read_cb read, void *arg, void *param)
{
	char value[8];

	ARG_UNUSED(key);
	ARG_UNUSED(length);
	ARG_UNUSED(param);
	(void)read(arg, value, sizeof(value));
	return 0;
}

void measure_direct(void)
{
	static const struct gpio_dt_spec led = GPIO_DT_SPEC_GET_BY_IDX(NODE, gpios, 0);
	static const struct gpio_dt_spec button = GPIO_DT_SPEC_GET_BY_IDX(NODE, gpios, 1);
	static const struct i2c_dt_spec store = I2C_DT_SPEC_GET(DT_NODELABEL(store));
	static const struct adc_dt_spec battery = ADC_DT_SPEC_GET_BY_IDX(NODE, 0);
	static const struct pwm_dt_spec fan = PWM_DT_SPEC_GET_BY_IDX(NODE, 0);
	static const struct spi_dt_spec inertial =
		SPI_DT_SPEC_GET(DT_NODELABEL(inertial), SPI_WORD_SET(8) | SPI_TRANSFER_MSB);
	const struct device *sensor = DEVICE_DT_GET(DT_NODELABEL(inertial));
	uint8_t command = 0x80;
	uint8_t number = 0;
	uint8_t byte;
	int16_t sample = 0;
	struct sensor_value value;
	struct adc_sequence sequence = {.buffer = &sample, .buffer_size = sizeof(sample)};
	const struct spi_buf writes[] = {{&command, 1}, {NULL, 1}};
	const struct spi_buf reads[] = {{NULL, 1}, {&byte, 1}};
	const struct spi_buf_set tx = {writes, 2};
	const struct spi_buf_set rx = {reads, 2};

	(void)gpio_pin_configure_dt(&led, GPIO_OUTPUT_INACTIVE | GPIO_INPUT);
	(void)gpio_pin_configure_dt(&button, GPIO_INPUT);
	(void)adc_channel_setup_dt(&battery);
	(void)adc_sequence_init_dt(&battery, &sequence);

	MEASURE("timer uptime_us", (int)(k_ticks_to_us_floor64(k_uptime_ticks()) >> 63));
	MEASURE("gpio set", gpio_pin_set_dt(&led, i & 1));
	MEASURE("gpio is_active", gpio_pin_get_dt(&button));
	MEASURE("i2c write_read 1+1", i2c_write_read_dt(&store, &number, 1, &byte, 1));
	MEASURE("spi transaction 1+1", spi_transceive_dt(&inertial, &tx, &rx));
	MEASURE("adc read", adc_read_dt(&battery, &sequence));
	MEASURE("pwm set", pwm_set_pulse_dt(&fan, 5000000 + (i & 1)));
	MEASURE("sensor fetch", sensor_sample_fetch(sensor));
	MEASURE("sensor get", sensor_channel_get(sensor, SENSOR_CHAN_ACCEL_Z, &value));
	/* What the app will store: the same work to be found. */
	if (settings_save_one("wisp/first/key", "value", 5) != 0) {
		printk("failed settings\n");
	}
	MEASURE("kv get", settings_load_subtree_direct("wisp/first/key", load_one, NULL));
}
