/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Uses each peripheral that the emulator of the RP2040 has, and prints what it reads. What is
 * connected to the pins stands in tests/rp2040/parts.mjs, and scripts/rp2040.py compares both
 * sides.
 */

#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <wisp.h>

#define TICKS   10
#define TICK_US 10000

static uint32_t opened(int32_t handle, const char *what)
{
	if (handle < 0) {
		printf("no %s: error %d\n", what, (int)-handle);
		wisp_wasi_proc_exit(1);
	}
	return (uint32_t)handle;
}

static void gpio(void)
{
	uint32_t out = opened(wisp_gpio_open_str("out", WISP_GPIO_OUTPUT_INACTIVE), "out");
	uint32_t in = opened(wisp_gpio_open_str("in", WISP_GPIO_INPUT), "in");
	struct wisp_event_event event;
	int32_t low, high;
	uint32_t edges = 0;

	low = wisp_gpio_is_active(in);
	wisp_gpio_set_active(out);
	high = wisp_gpio_is_active(in);
	opened(wisp_gpio_watch(in, WISP_GPIO_EDGE_BOTH), "edges");
	for (int i = 0; i < 5; i++) {
		wisp_gpio_toggle(out);
		edges += wisp_event_wait(100, &event) == 0 && event.kind == WISP_EVENT_EDGE;
	}
	printf("gpio: %d %d, %u edges\n", (int)low, (int)high, (unsigned int)edges);
	wisp_gpio_close(in);
}

static void i2c(void)
{
	static const uint8_t bytes[] = {0x10, 0xde, 0xad, 0xbe, 0xef};
	uint8_t read[4] = {0};
	uint32_t device = opened(wisp_i2c_open_str("present"), "device");
	int32_t written = wisp_i2c_write(device, bytes, sizeof(bytes));
	int32_t busy = wisp_i2c_write_read(device, bytes, 1, read, sizeof(read));

	wisp_timer_sleep_ms(10);
	printf("i2c: %d, busy %d, ", (int)written, (int)busy);
	printf("%d, ", (int)wisp_i2c_write_read(device, bytes, 1, read, sizeof(read)));
	printf("%02x%02x%02x%02x, ", read[0], read[1], read[2], read[3]);
	device = opened(wisp_i2c_open_str("absent"), "address");
	printf("absent %d\n", (int)wisp_i2c_write(device, bytes, sizeof(bytes)));
}

static void spi(void)
{
	uint8_t sent[20];
	uint8_t received[20] = {0};
	uint32_t device = opened(wisp_spi_open_str("loop"), "loop");
	int32_t result;

	for (uint8_t i = 0; i < sizeof(sent); i++) {
		sent[i] = (uint8_t)(0xa5 ^ (i * 29));
	}
	result = wisp_spi_transfer(device, sent, sizeof(sent), received, sizeof(received));
	printf("spi: %d, %s\n", (int)result,
	       memcmp(sent, received, sizeof(sent)) == 0 ? "same" : "other bytes");
}

static void adc(void)
{
	static const char *const names[] = {"0", "1", "2", "3"};

	printf("adc:");
	for (int i = 0; i < 4; i++) {
		uint32_t channel = opened(wisp_adc_open_str(names[i]), "channel");
		int32_t value = -1, microvolts = -1;

		wisp_adc_read(channel, &value);
		wisp_adc_read_uv(channel, &microvolts);
		printf(" %d=%d", (int)value, (int)microvolts);
	}
	printf("\n");
}

static void pwm(void)
{
	uint32_t output = opened(wisp_pwm_open_str("output"), "output");
	uint32_t period = 0;

	wisp_pwm_period(output, &period);
	printf("pwm: period %u, ", (unsigned int)period);
	printf("%d\n", (int)wisp_pwm_set(output, period / 4));
}

static void uart(void)
{
	uint32_t port = opened(wisp_uart_open_str("peer"), "peer");
	char text[40];
	size_t length = 0;

	wisp_uart_write_str(port, "the quick brown fox jumps over\n", WISP_UART_FOREVER);
	while (length < sizeof(text) - 1) {
		if (wisp_uart_read(port, &text[length], 1, 1000) != 1 || text[length] == '\n') {
			break;
		}
		length++;
	}
	text[length] = '\0';
	printf("uart: %s\n", text);
}

static void timer(void)
{
	uint32_t pin = opened(wisp_gpio_open_str("tick", WISP_GPIO_OUTPUT_INACTIVE), "tick");
	uint64_t begin = wisp_timer_uptime_us();
	struct wisp_event_event event;
	uint32_t ticks = 0;

	wisp_timer_start(0, TICK_US, TICK_US);
	while (ticks < TICKS && wisp_event_wait(100, &event) == 0) {
		wisp_gpio_toggle(pin);
		ticks++;
	}
	wisp_timer_cancel(0);
	printf("timer: %u ticks in %u us\n", (unsigned int)ticks,
	       (unsigned int)(wisp_timer_uptime_us() - begin));
}

int main(void)
{
	gpio();
	i2c();
	spi();
	adc();
	pwm();
	uart();
	timer();
	/* The output is measured for as long as this takes. */
	wisp_timer_sleep_ms(100);
	printf("all were used\n");
	/* An app that ends loses its output. */
	wisp_timer_sleep_ms(60000);
	return 0;
}
