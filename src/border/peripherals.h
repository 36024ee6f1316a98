/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Part of shim.h: the peripherals that apps are granted. A device is named by its index
 * into the app's grants, which wisp_shim_*_find() gives; an index beyond them is
 * WISP_ENODEV. Labels are not NUL-terminated. Results are 0 or an enum wisp_errno.
 *
 * Enums only name numbers here: their size differs between compilers, so what is passed
 * and stored is of a fixed one.
 */

#ifndef WISP_BORDER_PERIPHERALS_H_
#define WISP_BORDER_PERIPHERALS_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct wisp_app;

enum wisp_event_kind {
	WISP_EVENT_EDGE,
	WISP_EVENT_UART,
	WISP_EVENT_MESSAGE,
};

struct wisp_event {
	uint64_t time_us;
	/* Events dropped since the last one. */
	uint32_t lost;
	/* An enum wisp_event_kind. */
	uint8_t kind;
	uint8_t source;
	uint8_t value;
};

enum wisp_wait {
	WISP_WAIT_NOTHING,
	WISP_WAIT_EVENT,
	WISP_WAIT_STOP,
};

/*
 * Takes the oldest event, waiting for it until this uptime; UINT64_MAX is without end.
 * Tells an enum wisp_wait.
 */
uint32_t wisp_shim_event_next(const struct wisp_app *app, uint64_t until_us,
			      struct wisp_event *event);

enum wisp_edges {
	WISP_EDGES_NONE,
	WISP_EDGES_ACTIVE,
	WISP_EDGES_INACTIVE,
	WISP_EDGES_BOTH,
};

/* Chooses the edges of a pin, an enum wisp_edges, that become events; drops those that wait. */
uint32_t wisp_shim_gpio_watch(const struct wisp_app *app, uint32_t pin, uint32_t edges);

int32_t wisp_shim_i2c_find(const struct wisp_app *app, const uint8_t *label, size_t length);
uint32_t wisp_shim_i2c_ready(const struct wisp_app *app, uint32_t device);
uint32_t wisp_shim_i2c_address(const struct wisp_app *app, uint32_t device);

/* Most messages of one transaction. */
#define WISP_I2C_MESSAGES 8

struct wisp_i2c_message {
	/* Only read from, unless it is a message that reads. */
	uint8_t *bytes;
	uint32_t length;
	bool read;
};

/* One bus transaction; a repeated start where the direction changes. */
uint32_t wisp_shim_i2c_transfer(const struct wisp_app *app, uint32_t device,
				const struct wisp_i2c_message *messages, uint32_t count);

int32_t wisp_shim_adc_find(const struct wisp_app *app, const uint8_t *label, size_t length);
uint32_t wisp_shim_adc_setup(const struct wisp_app *app, uint32_t channel);
uint32_t wisp_shim_adc_resolution(const struct wisp_app *app, uint32_t channel);
/* The converter's number, or microvolts. */
uint32_t wisp_shim_adc_read(const struct wisp_app *app, uint32_t channel, bool microvolts,
			    int32_t *value);

int32_t wisp_shim_pwm_find(const struct wisp_app *app, const uint8_t *label, size_t length);
uint32_t wisp_shim_pwm_ready(const struct wisp_app *app, uint32_t output);
/* Nanoseconds. */
uint32_t wisp_shim_pwm_period(const struct wisp_app *app, uint32_t output);
uint32_t wisp_shim_pwm_set(const struct wisp_app *app, uint32_t output, uint32_t pulse);

int32_t wisp_shim_spi_find(const struct wisp_app *app, const uint8_t *label, size_t length);
uint32_t wisp_shim_spi_ready(const struct wisp_app *app, uint32_t device);

/* Most operations of one transaction. */
#define WISP_SPI_OPERATIONS 8

/*
 * NULL where nothing is written or read. As long as the longer of the two. One with a
 * delay, at least so many nanoseconds, has neither.
 */
struct wisp_spi_operation {
	const uint8_t *write;
	uint8_t *read;
	uint32_t write_length;
	uint32_t read_length;
	uint32_t delay_ns;
};

/* One transaction, with the chip selected throughout. */
uint32_t wisp_shim_spi_transfer(const struct wisp_app *app, uint32_t device,
				const struct wisp_spi_operation *operations, uint32_t count);

int32_t wisp_shim_uart_find(const struct wisp_app *app, const uint8_t *label, size_t length);
/* Starts reception, or starts it again with nothing received. */
uint32_t wisp_shim_uart_open(const struct wisp_app *app, uint32_t uart);
void wisp_shim_uart_close(const struct wisp_app *app, uint32_t uart);

/*
 * These wait until this uptime; a time that has passed means not to. They tell
 * WISP_WAIT_STOP or WISP_WAIT_EVENT, then with a count of bytes that may be 0. From here
 * on the index is that of an open port.
 */
uint32_t wisp_shim_uart_read(const struct wisp_app *app, uint32_t uart, uint8_t *buffer,
			     uint32_t length, uint64_t until_us, uint32_t *count);
uint32_t wisp_shim_uart_write(const struct wisp_app *app, uint32_t uart, const uint8_t *bytes,
			      uint32_t length, uint64_t until_us, uint32_t *count);
uint32_t wisp_shim_uart_flush(const struct wisp_app *app, uint32_t uart, uint64_t until_us,
			      bool *empty);

uint32_t wisp_shim_uart_available(const struct wisp_app *app, uint32_t uart);
/* Chooses whether reception becomes events; drops those that wait. */
uint32_t wisp_shim_uart_watch(const struct wisp_app *app, uint32_t uart, bool on);
/* What went wrong since this was last asked. */
void wisp_shim_uart_errors(const struct wisp_app *app, uint32_t uart, uint32_t *lost,
			   uint32_t *line);

int32_t wisp_shim_sensor_find(const struct wisp_app *app, const uint8_t *label, size_t length);
uint32_t wisp_shim_sensor_ready(const struct wisp_app *app, uint32_t sensor);
uint32_t wisp_shim_sensor_fetch(const struct wisp_app *app, uint32_t sensor);
/* A channel as wisp:sensor@1 numbers it, in millionths. */
uint32_t wisp_shim_sensor_get(const struct wisp_app *app, uint32_t sensor, uint32_t channel,
			      int64_t *value);

#define WISP_KV_MAX_KEY   32
#define WISP_KV_MAX_VALUE 256

/* Bytes of keys and values that the app may store, 0 for none. */
uint32_t wisp_shim_kv_size(const struct wisp_app *app);
/* Bytes that an entry with a key and a value of these lengths takes in flash. */
uint32_t wisp_shim_kv_entry(const struct wisp_app *app, size_t key_length, size_t length);
/* Those that it has stored, but for this key. */
uint32_t wisp_shim_kv_used(const struct wisp_app *app, const uint8_t *key, size_t key_length,
			   uint32_t *used);
/* Reads what fits, and tells the length of the whole value. */
uint32_t wisp_shim_kv_get(const struct wisp_app *app, const uint8_t *key, size_t key_length,
			  uint8_t *buffer, size_t size, uint32_t *length);
uint32_t wisp_shim_kv_set(const struct wisp_app *app, const uint8_t *key, size_t key_length,
			  const uint8_t *value, size_t length);
uint32_t wisp_shim_kv_remove(const struct wisp_app *app, const uint8_t *key, size_t key_length);

/* Channels of messages; these two take any index. */
int32_t wisp_shim_msg_find(const struct wisp_app *app, const uint8_t *label, size_t length,
			   bool publish);
bool wisp_shim_msg_publishes(const struct wisp_app *app, uint32_t channel);
/* Bytes of each message. */
uint32_t wisp_shim_msg_size(const struct wisp_app *app, uint32_t channel);
uint32_t wisp_shim_msg_open(const struct wisp_app *app, uint32_t channel);
void wisp_shim_msg_close(const struct wisp_app *app, uint32_t channel);
/* `lost`: how many apps had no room. */
uint32_t wisp_shim_msg_publish(const struct wisp_app *app, uint32_t channel, const uint8_t *message,
			       size_t length, uint32_t *lost);
uint32_t wisp_shim_msg_room(const struct wisp_app *app, uint32_t channel);
uint32_t wisp_shim_msg_receive(const struct wisp_app *app, uint32_t channel, uint8_t *message,
			       size_t length);
/* Messages lost since the last call. */
uint32_t wisp_shim_msg_lost(const struct wisp_app *app, uint32_t channel);

/* To whoever supervises the app: keep this update; it gets on. */
void wisp_shim_confirm(const struct wisp_app *app);
void wisp_shim_heartbeat(const struct wisp_app *app);

#endif /* WISP_BORDER_PERIPHERALS_H_ */
