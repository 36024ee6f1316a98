/* SPDX-License-Identifier: Apache-2.0 */

/* What an app may touch: tables in flash that devicetree nodes become. */

#ifndef WISP_SRC_GRANTS_H_
#define WISP_SRC_GRANTS_H_

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <zephyr/drivers/adc.h>
#include <zephyr/drivers/gpio.h>
#include <zephyr/drivers/i2c.h>
#include <zephyr/drivers/pwm.h>
#include <zephyr/drivers/spi.h>

struct wisp_events;

/* Makes the edges of a pin events. */
struct wisp_gpio_watch {
	struct gpio_callback callback;
	struct wisp_events *events;
	uint8_t pin;
	uint8_t edges;
};

struct wisp_gpio_grant {
	const char *name;
	struct gpio_dt_spec pin;
};

/* Every grant begins with its name: see wisp_grant_find(). */

struct wisp_i2c_grant {
	const char *name;
	struct i2c_dt_spec spec;
};

struct wisp_adc_grant {
	const char *name;
	struct adc_dt_spec spec;
};

struct wisp_pwm_grant {
	const char *name;
	struct pwm_dt_spec spec;
};

struct wisp_spi_grant {
	const char *name;
	struct spi_dt_spec spec;
};

struct wisp_sensor_grant {
	const char *name;
	const struct device *spec;
};

struct wisp_grants {
#ifdef CONFIG_WISP_EVENT
	struct wisp_events *events;
#endif
#ifdef CONFIG_WISP_GPIO
	const struct wisp_gpio_grant *gpios;
#ifdef CONFIG_WISP_EVENT
	/* As many as pins. */
	struct wisp_gpio_watch *watches;
#endif
	uint8_t gpio_count;
#endif
#ifdef CONFIG_WISP_I2C
	const struct wisp_i2c_grant *i2c;
	uint8_t i2c_count;
#endif
#ifdef CONFIG_WISP_ADC
	const struct wisp_adc_grant *adc;
	uint8_t adc_count;
#endif
#ifdef CONFIG_WISP_PWM
	const struct wisp_pwm_grant *pwm;
	uint8_t pwm_count;
#endif
#ifdef CONFIG_WISP_SPI
	const struct wisp_spi_grant *spi;
	uint8_t spi_count;
#endif
#ifdef CONFIG_WISP_SENSOR
	const struct wisp_sensor_grant *sensor;
	uint8_t sensor_count;
#endif
#ifdef CONFIG_WISP_KV
	/* Bytes of keys and values. */
	uint32_t kv_size;
#endif
};

/*
 * The index of the grant with this label among grants of one size that begin with their
 * names, or -1. The label is not NUL-terminated.
 */
static inline int32_t wisp_grant_find(const void *grants, uint32_t count, size_t size,
				      const uint8_t *label, size_t length)
{
	for (uint32_t i = 0; i < count; i++) {
		const char *name = *(const char *const *)((const uint8_t *)grants + i * size);

		if (strlen(name) == length && memcmp(name, label, length) == 0) {
			return (int32_t)i;
		}
	}
	return -1;
}

#endif /* WISP_SRC_GRANTS_H_ */
