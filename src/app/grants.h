/* SPDX-License-Identifier: Apache-2.0 */

/* Grants of apps: tables in flash that are generated from devicetree nodes. */

#ifndef WISP_APP_GRANTS_H_
#define WISP_APP_GRANTS_H_

#include <stdint.h>

#include <zephyr/drivers/adc.h>
#include <zephyr/drivers/gpio.h>
#include <zephyr/drivers/i2c.h>
#include <zephyr/drivers/pwm.h>
#include <zephyr/drivers/spi.h>

#include "app/grant_find.h"

#ifdef CONFIG_WISP_MSG
#include "drivers/msg.h"
#endif
#ifdef CONFIG_WISP_FS
#include "drivers/fs.h"
#endif

struct wisp_events;
struct wisp_uart;

/* Converts edges of a pin to events. */
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

/* Every grant begins with its name, on which wisp_grant_find() relies. */

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
	/* The same device, with the chip selected between transfers. */
	struct spi_dt_spec held;
};

struct wisp_uart_grant {
	const char *name;
	const struct device *spec;
};

struct wisp_sensor_grant {
	const char *name;
	const struct device *spec;
};

struct wisp_grants {
	/* Arguments and environment, which the node also contains. */
	const char *const *args;
	const char *const *env;
	uint8_t arg_count;
	uint8_t env_count;
#ifdef CONFIG_WISP_EVENT
	struct wisp_events *events;
#endif
#ifdef CONFIG_WISP_GPIO
	const struct wisp_gpio_grant *gpios;
	/* Pins that the app has open, one bit for each. */
	uint32_t *gpios_open;
#ifdef CONFIG_WISP_EVENT
	/* One for each pin. */
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
#ifdef CONFIG_WISP_UART
	const struct wisp_uart_grant *uart;
	/* One for each device. */
	struct wisp_uart *uart_ports;
	uint8_t uart_count;
#endif
#ifdef CONFIG_WISP_SENSOR
	const struct wisp_sensor_grant *sensor;
	uint8_t sensor_count;
#endif
#ifdef CONFIG_WISP_MSG
	const struct wisp_msg_grant *msg;
	uint8_t msg_count;
#endif
#ifdef CONFIG_WISP_FS
	const struct wisp_folder_grant *folders;
	/* NULL without folders. */
	struct wisp_fs *fs;
#endif
	/* Maximum log lines per second, 0 for no limit. */
	uint32_t log_lines;
#ifdef CONFIG_WISP_KV
	/* Maximum bytes of stored values in flash. */
	uint32_t kv_size;
	/* Maximum flash erases per hour by stored values, 0 for no limit. */
	uint32_t kv_erases;
#endif
};

#endif /* WISP_APP_GRANTS_H_ */
