/* SPDX-License-Identifier: Apache-2.0 */

/* Calls each host function many times between two readings of the firmware's clock. */

#include <stdint.h>
#include <wisp.h>

#define CLOCK(name) __attribute__((import_module("bench:clock@1"), import_name(name)))

CLOCK("begin") void begin(void);
CLOCK("end") void end(const char *name, uint32_t length, uint32_t times);
CLOCK("nothing") int32_t nothing(void);

#define TIMES 1000

/* The call's result is looked at, so that a call that fails is not measured as one. */
#define MEASURE(name, call)                                                                        \
	do {                                                                                       \
		int32_t worst = 0;                                                                 \
		begin();                                                                           \
		for (uint32_t i = 0; i < TIMES; i++) {                                             \
			worst |= (int32_t)(call);                                                  \
		}                                                                                  \
		end(name, sizeof(name) - 1, TIMES);                                                \
		if (worst < 0) {                                                                   \
			wisp_wasi_proc_exit(__LINE__);                                             \
		}                                                                                  \
	} while (0)

static uint32_t at(const void *object)
{
	return (uint32_t)(uintptr_t)object;
}

static uint32_t opened(int32_t handle)
{
	if (handle < 0) {
		wisp_wasi_proc_exit(2);
	}
	return (uint32_t)handle;
}

int main(void)
{
	uint32_t led = opened(wisp_gpio_open_str("led", WISP_GPIO_OUTPUT_INACTIVE));
	uint32_t button = opened(wisp_gpio_open_str("button", WISP_GPIO_INPUT));
	uint32_t store = opened(wisp_i2c_open_str("store"));
	uint32_t battery = opened(wisp_adc_open_str("battery"));
	uint32_t fan = opened(wisp_pwm_open_str("fan"));
	uint32_t inertial = opened(wisp_spi_open_str("inertial"));
	uint32_t sensor = opened(wisp_sensor_open_str("inertial"));
	uint32_t modem = opened(wisp_uart_open_str("modem"));
	uint8_t command[] = {0x80, 0};
	uint8_t byte = 0;
	int32_t value = 0;
	int64_t micro = 0;
	struct wisp_event_event event;
	struct wisp_spi_operation operations[] = {
		{WISP_SPI_WRITE, 1, at(command), 0},
		{WISP_SPI_READ, 1, 0, at(&byte)},
	};

	/* What the loop itself takes. */
	MEASURE("loop", byte);
	MEASURE("nothing", nothing());
	MEASURE("timer uptime_us", wisp_timer_uptime_us() >> 63);
	MEASURE("event wait(0)", wisp_event_wait(0, &event) + WISP_ETIMEDOUT);
	MEASURE("gpio set", wisp_gpio_set(led, i & 1));
	MEASURE("gpio is_active", wisp_gpio_is_active(button));
	MEASURE("i2c write_read 1+1", wisp_i2c_write_read(store, command, 1, &byte, 1));
	MEASURE("spi transaction 1+1", wisp_spi_transaction(inertial, operations, 2));
	MEASURE("adc read", wisp_adc_read(battery, &value));
	MEASURE("pwm set", wisp_pwm_set(fan, 5000000 + (i & 1)));
	MEASURE("sensor fetch", wisp_sensor_fetch(sensor));
	MEASURE("sensor get", wisp_sensor_get(sensor, WISP_SENSOR_ACCEL_Z, &micro));
	MEASURE("uart available", wisp_uart_available(modem));
	MEASURE("uart read(0), nothing", wisp_uart_read(modem, &byte, 1, 0) + WISP_ETIMEDOUT);
	wisp_kv_set_str("key", "value");
	MEASURE("kv get", wisp_kv_get("key", 3, &micro, sizeof(micro)));
	return 0;
}
