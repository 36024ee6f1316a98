/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Part of shim.h: the peripherals that can be granted to apps. A device is identified by its index
 * in the app's table of grants, which a function wisp_shim_*_find() returns. For other indices,
 * functions return WISP_ENODEV. Labels are not NUL-terminated. Results are 0 or an enum
 * wisp_errno.
 *
 * Enums only define numbers here. Their size differs between compilers, so parameters and members
 * have types of fixed size.
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
	WISP_EVENT_ALARM,
	WISP_EVENT_NET,
	WISP_EVENT_INPUT,
	WISP_EVENT_CAN,
	WISP_EVENT_BLE,
};

struct wisp_event {
	uint64_t time_us;
	/* Number of events that were dropped since the last one. */
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
 * Removes the oldest event from the queue. Waits for an event until this uptime in microseconds,
 * or without end if it is UINT64_MAX. Returns an enum wisp_wait.
 */
uint32_t wisp_shim_event_next(const struct wisp_app *app, uint64_t until_us,
			      struct wisp_event *event);

enum wisp_edges {
	WISP_EDGES_NONE,
	WISP_EDGES_ACTIVE,
	WISP_EDGES_INACTIVE,
	WISP_EDGES_BOTH,
};

/*
 * Selects which edges of a pin (an enum wisp_edges) become events, and drops waiting events of the
 * pin.
 */
uint32_t wisp_shim_gpio_watch(const struct wisp_app *app, uint32_t pin, uint32_t edges);

int32_t wisp_shim_i2c_find(const struct wisp_app *app, const uint8_t *label, size_t length);
uint32_t wisp_shim_i2c_ready(const struct wisp_app *app, uint32_t device);
uint32_t wisp_shim_i2c_address(const struct wisp_app *app, uint32_t device);

/* Maximum number of messages in one transaction. */
#define WISP_I2C_MESSAGES 8

struct wisp_i2c_message {
	/* Written only by messages that read. */
	uint8_t *bytes;
	uint32_t length;
	bool read;
};

/* Performs one bus transaction, with a repeated start where the direction changes. */
uint32_t wisp_shim_i2c_transfer(const struct wisp_app *app, uint32_t device,
				const struct wisp_i2c_message *messages, uint32_t count);

int32_t wisp_shim_adc_find(const struct wisp_app *app, const uint8_t *label, size_t length);
uint32_t wisp_shim_adc_setup(const struct wisp_app *app, uint32_t channel);
uint32_t wisp_shim_adc_resolution(const struct wisp_app *app, uint32_t channel);
/* Raw value of the converter, or microvolts. */
uint32_t wisp_shim_adc_read(const struct wisp_app *app, uint32_t channel, bool microvolts,
			    int32_t *value);

int32_t wisp_shim_pwm_find(const struct wisp_app *app, const uint8_t *label, size_t length);
uint32_t wisp_shim_pwm_ready(const struct wisp_app *app, uint32_t output);
/* Nanoseconds. */
uint32_t wisp_shim_pwm_period(const struct wisp_app *app, uint32_t output);
uint32_t wisp_shim_pwm_set(const struct wisp_app *app, uint32_t output, uint32_t pulse);

int32_t wisp_shim_dac_find(const struct wisp_app *app, const uint8_t *label, size_t length);
uint32_t wisp_shim_dac_setup(const struct wisp_app *app, uint32_t output);
/* Bits. */
uint32_t wisp_shim_dac_resolution(const struct wisp_app *app, uint32_t output);
uint32_t wisp_shim_dac_write(const struct wisp_app *app, uint32_t output, uint32_t value);

int32_t wisp_shim_counter_find(const struct wisp_app *app, const uint8_t *label, size_t length);
/* Starts the counter, without an alarm. */
uint32_t wisp_shim_counter_open(const struct wisp_app *app, uint32_t counter);
void wisp_shim_counter_close(const struct wisp_app *app, uint32_t counter);
/* Ticks per second. */
uint32_t wisp_shim_counter_frequency(const struct wisp_app *app, uint32_t counter);
uint32_t wisp_shim_counter_top(const struct wisp_app *app, uint32_t counter);
uint32_t wisp_shim_counter_read(const struct wisp_app *app, uint32_t counter, uint32_t *ticks);
/* Cancels the alarm and drops its event. Sets it anew unless `ticks` is 0. */
uint32_t wisp_shim_counter_alarm(const struct wisp_app *app, uint32_t counter, uint32_t ticks);

int32_t wisp_shim_led_find(const struct wisp_app *app, const uint8_t *label, size_t length);
/* Both let the LED go dark. */
uint32_t wisp_shim_led_open(const struct wisp_app *app, uint32_t led);
uint32_t wisp_shim_led_close(const struct wisp_app *app, uint32_t led);
/* From 0 to 100. */
uint32_t wisp_shim_led_set(const struct wisp_app *app, uint32_t led, uint32_t percent);
uint32_t wisp_shim_led_color(const struct wisp_app *app, uint32_t led, const uint8_t *channels,
			     uint32_t count);
/* Milliseconds. */
uint32_t wisp_shim_led_blink(const struct wisp_app *app, uint32_t led, uint32_t on, uint32_t off);

int32_t wisp_shim_strip_find(const struct wisp_app *app, const uint8_t *label, size_t length);
/* Both let all LEDs go dark. */
uint32_t wisp_shim_strip_open(const struct wisp_app *app, uint32_t strip);
uint32_t wisp_shim_strip_close(const struct wisp_app *app, uint32_t strip);
/* Number of LEDs. */
uint32_t wisp_shim_strip_length(const struct wisp_app *app, uint32_t strip);
/* Sets the first LEDs, with red, green and blue of each. */
uint32_t wisp_shim_strip_write(const struct wisp_app *app, uint32_t strip, const uint8_t *colors,
			       uint32_t count);

/* The granted part of a display, in the numbers of wisp:display@1. */
struct wisp_display_info {
	uint32_t width;
	uint32_t height;
	uint32_t format;
	uint32_t layout;
};

/* A rectangle inside of what was granted. */
struct wisp_display_rectangle {
	uint32_t x;
	uint32_t y;
	uint32_t width;
	uint32_t height;
	/* No more rectangles of the same write follow. */
	bool is_last;
};

int32_t wisp_shim_display_find(const struct wisp_app *app, const uint8_t *label, size_t length);
/* Makes the display black and switches it on. */
uint32_t wisp_shim_display_open(const struct wisp_app *app, uint32_t display);
/* Makes the display black. Switches it off if all of it was granted. */
uint32_t wisp_shim_display_close(const struct wisp_app *app, uint32_t display);
void wisp_shim_display_info(const struct wisp_app *app, uint32_t display,
			    struct wisp_display_info *info);
/* The rectangle has so many bytes of pixels. */
uint32_t wisp_shim_display_write(const struct wisp_app *app, uint32_t display,
				 const struct wisp_display_rectangle *to, const uint8_t *pixels,
				 uint32_t length);
uint32_t wisp_shim_display_show(const struct wisp_app *app, uint32_t display, bool on);
uint32_t wisp_shim_display_brightness(const struct wisp_app *app, uint32_t display,
				      uint8_t brightness);

int32_t wisp_shim_eeprom_find(const struct wisp_app *app, const uint8_t *label, size_t length);
uint32_t wisp_shim_eeprom_open(const struct wisp_app *app, uint32_t eeprom);
void wisp_shim_eeprom_close(const struct wisp_app *app, uint32_t eeprom);
/* Bytes. */
uint32_t wisp_shim_eeprom_size(const struct wisp_app *app, uint32_t eeprom);
uint32_t wisp_shim_eeprom_read(const struct wisp_app *app, uint32_t eeprom, uint32_t offset,
			       uint8_t *buffer, uint32_t length);
uint32_t wisp_shim_eeprom_write(const struct wisp_app *app, uint32_t eeprom, uint32_t offset,
				const uint8_t *bytes, uint32_t length);

/* Areas of flash that apps were granted. struct wisp_flash_geometry is in storage/shim.h. */
struct wisp_flash_geometry;

int32_t wisp_shim_area_find(const struct wisp_app *app, const uint8_t *label, size_t length);
uint32_t wisp_shim_area_open(const struct wisp_app *app, uint32_t flash);
void wisp_shim_area_close(const struct wisp_app *app, uint32_t flash);
void wisp_shim_area_info(const struct wisp_app *app, uint32_t flash,
			 struct wisp_flash_geometry *info);
uint32_t wisp_shim_area_read(const struct wisp_app *app, uint32_t flash, uint32_t offset,
			     uint8_t *buffer, uint32_t length);
/* Writes 256 bytes at most. */
uint32_t wisp_shim_area_write(const struct wisp_app *app, uint32_t flash, uint32_t offset,
			      const uint8_t *bytes, uint32_t length);
/* Erases one block. */
uint32_t wisp_shim_area_erase(const struct wisp_app *app, uint32_t flash, uint32_t offset);

/* What an input device reports, as wisp:input@1 has it. */
struct wisp_input_event {
	uint64_t time_us;
	int32_t value;
	uint16_t code;
	uint8_t kind;
	bool sync;
};

int32_t wisp_shim_input_find(const struct wisp_app *app, const uint8_t *label, size_t length);
/* Begins to queue reports, with an empty queue. */
uint32_t wisp_shim_input_open(const struct wisp_app *app, uint32_t input);
void wisp_shim_input_close(const struct wisp_app *app, uint32_t input);
/* Returns an enum wisp_wait: WISP_WAIT_EVENT with a report. */
uint32_t wisp_shim_input_read(const struct wisp_app *app, uint32_t input, uint64_t until_us,
			      struct wisp_input_event *event);
/* Selects whether reports raise events, and drops waiting events of the device. */
uint32_t wisp_shim_input_watch(const struct wisp_app *app, uint32_t input, bool on);
/* Returns the number of dropped reports since the last call. */
uint32_t wisp_shim_input_lost(const struct wisp_app *app, uint32_t input);

int32_t wisp_shim_can_find(const struct wisp_app *app, const uint8_t *label, size_t length);

/* A frame on a CAN bus. The data bytes behind `length` are 0. */
struct wisp_can_frame {
	uint32_t id;
	uint8_t length;
	/* The identifier has 29 bits. */
	bool extended;
	bool remote;
	uint8_t data[8];
};

/* Starts the controller, unless it was started. */
uint32_t wisp_shim_can_open(const struct wisp_app *app, uint32_t can);
void wisp_shim_can_close(const struct wisp_app *app, uint32_t can);
uint32_t wisp_shim_can_filter(const struct wisp_app *app, uint32_t can, uint32_t id, uint32_t mask,
			      bool extended);
/* Removes the app's filters and drops what was received. */
void wisp_shim_can_unfilter(const struct wisp_app *app, uint32_t can);
/*
 * The next two functions return an enum wisp_wait. WISP_WAIT_EVENT comes with a frame that is
 * behind `lost` dropped ones, or with the error of the driver.
 */
uint32_t wisp_shim_can_receive(const struct wisp_app *app, uint32_t can, uint64_t until_us,
			       struct wisp_can_frame *frame, uint64_t *time_us, uint32_t *lost);
uint32_t wisp_shim_can_send(const struct wisp_app *app, uint32_t can,
			    const struct wisp_can_frame *frame, uint64_t until_us, uint32_t *error);
/* Selects whether frames raise events, and drops waiting events of the bus. */
uint32_t wisp_shim_can_watch(const struct wisp_app *app, uint32_t can, bool on);
/* A number of wisp:can@1. */
uint32_t wisp_shim_can_state(const struct wisp_app *app, uint32_t can, uint32_t *state);
/* Returns the number of frames that were not sent since the last call. */
uint32_t wisp_shim_can_failed(const struct wisp_app *app, uint32_t can);

#define WISP_BLE_MAX_DATA 31

/* Bits of wisp_ble_report.flags: those of wisp:ble@1. */
enum wisp_ble_flag {
	WISP_BLE_FLAG_RANDOM = 1,
	WISP_BLE_FLAG_CONNECTABLE = 2,
	WISP_BLE_FLAG_RESPONSE = 4,
};

/* An advertisement that was received. The data bytes behind `length` are 0. */
struct wisp_ble_report {
	uint64_t time_us;
	/* 48 bits. */
	uint64_t address;
	/* Number of reports that were dropped since the last one. */
	uint32_t lost;
	int8_t rssi;
	uint8_t flags;
	uint8_t length;
	uint8_t data[32];
};

#define WISP_BLE_MAX_VALUE 20

/* A value that a client has written. The bytes behind `length` are 0. */
struct wisp_ble_written {
	uint64_t time_us;
	/* 48 bits. */
	uint64_t address;
	uint8_t characteristic;
	uint8_t length;
	uint8_t data[24];
};

enum wisp_ble_list {
	WISP_BLE_LIST_ADVERTISE,
	WISP_BLE_LIST_SCAN,
	/* The UUID of the app's service. */
	WISP_BLE_LIST_SERVICE,
};

/* Returns an entry of an enum wisp_ble_list, NULL behind the last. */
const char *wisp_shim_ble_entry(const struct wisp_app *app, uint32_t list, uint32_t index);
/* Returns milliseconds. */
uint32_t wisp_shim_ble_min_interval(const struct wisp_app *app);
/*
 * The next three functions wait until it is done, and return WISP_WAIT_EVENT with the error, or
 * WISP_WAIT_STOP. The data are structures, each with its length and its type.
 */
uint32_t wisp_shim_ble_advertise(const struct wisp_app *app, const uint8_t *data, size_t length,
				 const uint8_t *response, size_t response_length,
				 uint32_t interval_ms, uint32_t *error);
uint32_t wisp_shim_ble_stop_advertising(const struct wisp_app *app, uint32_t *error);
uint32_t wisp_shim_ble_scan(const struct wisp_app *app, bool on, uint32_t *error);
/* Returns an enum wisp_wait: WISP_WAIT_EVENT with a report. */
uint32_t wisp_shim_ble_receive(const struct wisp_app *app, uint64_t until_us,
			       struct wisp_ble_report *report);
/* Selects whether reports raise events, and drops waiting events. */
uint32_t wisp_shim_ble_watch(const struct wisp_app *app, bool on);

/*
 * The next four functions wait as wisp_shim_ble_scan() does. A UUID has its lowest byte first. The
 * properties are those of wisp:ble@1. The number of the characteristic is written on success.
 */
uint32_t wisp_shim_ble_declare(const struct wisp_app *app, const uint8_t *uuid, uint8_t properties,
			       uint8_t size, uint32_t *characteristic, uint32_t *error);
uint32_t wisp_shim_ble_serve(const struct wisp_app *app, const uint8_t *uuid, uint32_t *error);
uint32_t wisp_shim_ble_stop_serving(const struct wisp_app *app, uint32_t *error);
uint32_t wisp_shim_ble_set(const struct wisp_app *app, uint32_t characteristic,
			   const uint8_t *value, size_t length, uint32_t *error);
/* Returns an enum wisp_wait: WISP_WAIT_EVENT with a value. */
uint32_t wisp_shim_ble_written(const struct wisp_app *app, uint64_t until_us,
			       struct wisp_ble_written *written);

/* Has advertising, scanning and serving stopped, without waiting for it. */
void wisp_shim_ble_release(const struct wisp_app *app);

/* Returns true if the app may receive an advertisement with these data. Called from any thread. */
bool wisp_rust_ble_may_hear(const struct wisp_app *app, const uint8_t *data, size_t length);

int32_t wisp_shim_spi_find(const struct wisp_app *app, const uint8_t *label, size_t length);
uint32_t wisp_shim_spi_ready(const struct wisp_app *app, uint32_t device);

/* Maximum number of operations in one transaction. */
#define WISP_SPI_OPERATIONS 8

/*
 * Data to write and buffer for data that is read, each NULL if unused. The operation is as long as
 * the longer of the two. An operation with a delay (in nanoseconds) has neither.
 */
struct wisp_spi_operation {
	const uint8_t *write;
	uint8_t *read;
	uint32_t write_length;
	uint32_t read_length;
	uint32_t delay_ns;
};

/* Performs one transaction, with the chip selected throughout. */
uint32_t wisp_shim_spi_transfer(const struct wisp_app *app, uint32_t device,
				const struct wisp_spi_operation *operations, uint32_t count);

int32_t wisp_shim_uart_find(const struct wisp_app *app, const uint8_t *label, size_t length);
/* Opens the port and starts reception with an empty buffer. */
uint32_t wisp_shim_uart_open(const struct wisp_app *app, uint32_t uart);
void wisp_shim_uart_close(const struct wisp_app *app, uint32_t uart);

/*
 * Wait until this uptime in microseconds, or do not wait if it has passed. Return WISP_WAIT_STOP,
 * or WISP_WAIT_EVENT with a number of bytes that may be 0. From here on, the index is that of an
 * open port.
 */
uint32_t wisp_shim_uart_read(const struct wisp_app *app, uint32_t uart, uint8_t *buffer,
			     uint32_t length, uint64_t until_us, uint32_t *count);
uint32_t wisp_shim_uart_write(const struct wisp_app *app, uint32_t uart, const uint8_t *bytes,
			      uint32_t length, uint64_t until_us, uint32_t *count);
uint32_t wisp_shim_uart_flush(const struct wisp_app *app, uint32_t uart, uint64_t until_us,
			      bool *empty);

uint32_t wisp_shim_uart_available(const struct wisp_app *app, uint32_t uart);
/* Selects whether reception raises events, and drops waiting events of the port. */
uint32_t wisp_shim_uart_watch(const struct wisp_app *app, uint32_t uart, bool on);
/* Returns the counts of errors since the last call. */
void wisp_shim_uart_errors(const struct wisp_app *app, uint32_t uart, uint32_t *lost,
			   uint32_t *line);

int32_t wisp_shim_sensor_find(const struct wisp_app *app, const uint8_t *label, size_t length);
uint32_t wisp_shim_sensor_ready(const struct wisp_app *app, uint32_t sensor);
uint32_t wisp_shim_sensor_fetch(const struct wisp_app *app, uint32_t sensor);
/* Reads a channel of wisp:sensor@1 in millionths of its unit. */
uint32_t wisp_shim_sensor_get(const struct wisp_app *app, uint32_t sensor, uint32_t channel,
			      int64_t *value);

#define WISP_HWINFO_MAX_ID 32

/*
 * What the hardware says of itself, WISP_EACCES if the app may not know it. The first function
 * reads as much as fits, and returns the length of the whole identifier.
 */
uint32_t wisp_shim_hwinfo_device_id(const struct wisp_app *app, uint8_t *buffer, size_t size,
				    uint32_t *length);
uint32_t wisp_shim_hwinfo_reset_cause(const struct wisp_app *app, uint32_t *causes);

#define WISP_KV_MAX_KEY   32
#define WISP_KV_MAX_VALUE 256

/* Returns how many bytes the app may store, 0 for none. */
uint32_t wisp_shim_kv_size(const struct wisp_app *app);
/* Returns how many bytes an entry with a key and a value of these lengths takes in flash. */
uint32_t wisp_shim_kv_entry(const struct wisp_app *app, size_t key_length, size_t length);
/* Returns how many bytes the app has stored, without the entry of this key. */
uint32_t wisp_shim_kv_used(const struct wisp_app *app, const uint8_t *key, size_t key_length,
			   uint32_t *used);
/* Reads as much as fits, and returns the length of the whole value. */
uint32_t wisp_shim_kv_get(const struct wisp_app *app, const uint8_t *key, size_t key_length,
			  uint8_t *buffer, size_t size, uint32_t *length);
uint32_t wisp_shim_kv_set(const struct wisp_app *app, const uint8_t *key, size_t key_length,
			  const uint8_t *value, size_t length);
uint32_t wisp_shim_kv_remove(const struct wisp_app *app, const uint8_t *key, size_t key_length);

/* Channels of messages. These two functions accept any index. */
int32_t wisp_shim_msg_find(const struct wisp_app *app, const uint8_t *label, size_t length,
			   bool publish);
bool wisp_shim_msg_publishes(const struct wisp_app *app, uint32_t channel);
/* Size of each message in bytes. */
uint32_t wisp_shim_msg_size(const struct wisp_app *app, uint32_t channel);
uint32_t wisp_shim_msg_open(const struct wisp_app *app, uint32_t channel);
void wisp_shim_msg_close(const struct wisp_app *app, uint32_t channel);
/* `lost` is set to the number of apps that had no room. */
uint32_t wisp_shim_msg_publish(const struct wisp_app *app, uint32_t channel, const uint8_t *message,
			       size_t length, uint32_t *lost);
uint32_t wisp_shim_msg_room(const struct wisp_app *app, uint32_t channel);
uint32_t wisp_shim_msg_receive(const struct wisp_app *app, uint32_t channel, uint8_t *message,
			       size_t length);
/* Returns the number of messages lost since the last call. */
uint32_t wisp_shim_msg_lost(const struct wisp_app *app, uint32_t channel);

/* An address, IPv4 as ::ffff:a.b.c.d, with the most significant byte first, and a port. */
struct wisp_net_peer {
	uint8_t address[16];
	uint16_t port;
};

enum wisp_net_stage {
	WISP_NET_OPEN,
	/* A socket for datagrams that has sent or is bound, or a listener. */
	WISP_NET_BOUND,
	WISP_NET_CONNECTING,
	WISP_NET_CONNECTED,
};

struct wisp_net_state {
	struct wisp_net_peer peer;
	uint16_t local_port;
	/* An enum wisp_net_stage. */
	uint8_t stage;
	bool tcp;
	/* TLS, or DTLS without `tcp`. */
	bool secure;
};

/* What the peer of a secure connection has to prove. */
struct wisp_net_proof {
	/* Its name, without NUL. NULL for its address. */
	const char *name;
	size_t length;
	/* The credential that the host uses. */
	uint16_t tag;
};

enum wisp_net_readiness {
	WISP_NET_READABLE = 1,
	WISP_NET_WRITABLE = 2,
};

/* Bytes that a datagram takes in a queue beside its contents. */
#define WISP_NET_RECORD 24

/* Sockets. Returns an entry of net-endpoints, or NULL behind the last one. */
const char *wisp_shim_net_endpoint(const struct wisp_app *app, uint32_t index);
/* Copies the 16 bytes of the address of the entry's name. Returns false if it has none. */
bool wisp_shim_net_resolved(const struct wisp_app *app, uint32_t index, uint8_t *address);
void wisp_shim_net_set_resolved(const struct wisp_app *app, uint32_t index, const uint8_t *address);
bool wisp_shim_net_has_bytes(const struct wisp_app *app);
void wisp_shim_net_use_bytes(const struct wisp_app *app, uint32_t bytes);

/*
 * Functions that wait return an enum wisp_wait: WISP_WAIT_STOP, WISP_WAIT_NOTHING after the
 * timeout, or WISP_WAIT_EVENT with a result or an `error`. Names are not NUL-terminated.
 */
bool wisp_shim_net_looks_up(const struct wisp_app *app, const uint8_t *name, size_t length);
uint32_t wisp_shim_net_look_up(const struct wisp_app *app, const uint8_t *name, size_t length,
			       uint64_t until_us, uint8_t *address, uint32_t *error);
uint32_t wisp_shim_net_open(const struct wisp_app *app, bool tcp, bool secure, uint32_t *socket);
/* Returns false if no socket is open with this number, whatever it is. */
bool wisp_shim_net_state(const struct wisp_app *app, uint32_t socket, struct wisp_net_state *state);
/* From here on, the number is that of an open socket. */
uint32_t wisp_shim_net_bind(const struct wisp_app *app, uint32_t socket, bool ipv4, uint16_t port);
/* `proof` is for a secure connection that begins, else it is NULL. */
uint32_t wisp_shim_net_connect(const struct wisp_app *app, uint32_t socket,
			       const struct wisp_net_peer *peer, const struct wisp_net_proof *proof,
			       uint64_t until_us, uint32_t *error);
uint32_t wisp_shim_net_accept(const struct wisp_app *app, uint32_t socket, uint64_t until_us,
			      uint32_t *accepted, struct wisp_net_peer *peer, uint32_t *error);
/* `to` is NULL for the connected peer. */
uint32_t wisp_shim_net_send(const struct wisp_app *app, uint32_t socket, const uint8_t *bytes,
			    size_t length, const struct wisp_net_peer *to, uint64_t until_us,
			    uint32_t *count, uint32_t *error);
/* `length` is that of the whole datagram. */
uint32_t wisp_shim_net_receive(const struct wisp_app *app, uint32_t socket, uint8_t *buffer,
			       size_t size, uint64_t until_us, uint32_t *count, uint32_t *length,
			       struct wisp_net_peer *peer, uint32_t *error);
uint32_t wisp_shim_net_watch(const struct wisp_app *app, uint32_t socket, uint32_t readiness);
/* Returns values of enum wisp_net_readiness. */
uint32_t wisp_shim_net_ready(const struct wisp_app *app, uint32_t socket);
uint32_t wisp_shim_net_lost(const struct wisp_app *app, uint32_t socket);
uint32_t wisp_shim_net_shutdown(const struct wisp_app *app, uint32_t socket);
void wisp_shim_net_close(const struct wisp_app *app, uint32_t socket);
/* Closes everything and forgets addresses of names. Accepts an app without endpoints. */
void wisp_shim_net_release(const struct wisp_app *app);

/* Functions of Rust: whether a datagram, or a connection, of a peer may come in. */
bool wisp_rust_net_may_enter(const struct wisp_app *app, bool tcp, uint16_t local_port,
			     const struct wisp_net_peer *peer);

/* Confirm the update that the app runs, and report a heartbeat. */
void wisp_shim_confirm(const struct wisp_app *app);
void wisp_shim_heartbeat(const struct wisp_app *app);

#endif /* WISP_BORDER_PERIPHERALS_H_ */
