/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Interfaces whose grants are lists of devices. Written from rust/abi by its test generated.rs.
 */

#ifndef WISP_APP_GRANT_LISTS_H_
#define WISP_APP_GRANT_LISTS_H_

#ifdef CONFIG_WISP_I2C
#include "drivers/i2c.h"
#endif
#ifdef CONFIG_WISP_ADC
#include "drivers/adc.h"
#endif
#ifdef CONFIG_WISP_DAC
#include "drivers/dac.h"
#endif
#ifdef CONFIG_WISP_PWM
#include "drivers/pwm.h"
#endif
#ifdef CONFIG_WISP_SPI
#include "drivers/spi.h"
#endif
#ifdef CONFIG_WISP_UART
#include "drivers/uart.h"
#endif
#ifdef CONFIG_WISP_SENSOR
#include "drivers/sensor.h"
#endif
#ifdef CONFIG_WISP_COUNTER
#include "drivers/counter.h"
#endif
#ifdef CONFIG_WISP_LED
#include "drivers/led.h"
#endif
#ifdef CONFIG_WISP_STRIP
#include "drivers/strip.h"
#endif
#ifdef CONFIG_WISP_DISPLAY
#include "drivers/display.h"
#endif
#ifdef CONFIG_WISP_EEPROM
#include "drivers/eeprom.h"
#endif
#ifdef CONFIG_WISP_FLASH
#include "drivers/flash.h"
#endif
#ifdef CONFIG_WISP_INPUT
#include "drivers/input.h"
#endif
#ifdef CONFIG_WISP_CAN
#include "drivers/can.h"
#endif

/* clang-format off */
/* X(table, option, property, property of the names, ...) */
#define WISP_GRANT_LISTS(X, ...) \
	X(i2c, CONFIG_WISP_I2C, i2c_devices, i2c_names, __VA_ARGS__) \
	X(adc, CONFIG_WISP_ADC, io_channels, io_channel_names, __VA_ARGS__) \
	X(dac, CONFIG_WISP_DAC, dacs, dac_names, __VA_ARGS__) \
	X(pwm, CONFIG_WISP_PWM, pwms, pwm_names, __VA_ARGS__) \
	X(spi, CONFIG_WISP_SPI, spi_devices, spi_names, __VA_ARGS__) \
	X(uart, CONFIG_WISP_UART, uarts, uart_names, __VA_ARGS__) \
	X(sensor, CONFIG_WISP_SENSOR, sensors, sensor_names, __VA_ARGS__) \
	X(counter, CONFIG_WISP_COUNTER, counters, counter_names, __VA_ARGS__) \
	X(led, CONFIG_WISP_LED, leds, led_names, __VA_ARGS__) \
	X(strip, CONFIG_WISP_STRIP, led_strips, led_strip_names, __VA_ARGS__) \
	X(display, CONFIG_WISP_DISPLAY, displays, display_names, __VA_ARGS__) \
	X(eeprom, CONFIG_WISP_EEPROM, eeproms, eeprom_names, __VA_ARGS__) \
	X(flash, CONFIG_WISP_FLASH, flash_areas, flash_area_names, __VA_ARGS__) \
	X(input, CONFIG_WISP_INPUT, inputs, input_names, __VA_ARGS__) \
	X(can, CONFIG_WISP_CAN, cans, can_names, __VA_ARGS__)
/* clang-format on */

#endif /* WISP_APP_GRANT_LISTS_H_ */
