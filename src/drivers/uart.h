/* SPDX-License-Identifier: Apache-2.0 */

/* Grants of serial ports, and the buffers of each port between interrupts and the app. */

#ifndef WISP_DRIVERS_UART_H_
#define WISP_DRIVERS_UART_H_

#ifdef CONFIG_WISP_UART

#include <zephyr/kernel.h>
#include <zephyr/sys/ring_buffer.h>

#include "drivers/event.h"

struct wisp_uart {
	struct k_spinlock lock;
	/* Given when bytes have arrived, or when room for bytes has become free. */
	struct k_poll_signal changed;
	struct ring_buf received;
	struct ring_buf sending;
	uint32_t lost;
	uint32_t line_errors;
#ifdef CONFIG_WISP_EVENT
	struct wisp_events *events;
	uint8_t index;
	bool watched;
	/* True if an event was raised for the bytes that wait. */
	bool told;
#endif
	bool open;
	/* The device was resumed for this port: while it is open, and until all bytes are sent. */
	bool powered;
	uint8_t received_bytes[CONFIG_WISP_UART_RX_BUFFER];
	uint8_t sending_bytes[CONFIG_WISP_UART_TX_BUFFER];
};

#define WISP_UART_INITIALIZER(_name)                                                               \
	{                                                                                          \
		.changed = K_POLL_SIGNAL_INITIALIZER(_name.changed),                               \
		.received = RING_BUF_INIT(_name.received_bytes, CONFIG_WISP_UART_RX_BUFFER),       \
		.sending = RING_BUF_INIT(_name.sending_bytes, CONFIG_WISP_UART_TX_BUFFER),         \
	}

struct wisp_uart_grant {
	const char *name;
	const struct device *spec;
	struct wisp_uart *port;
};

/* clang-format off */
#define uart_STATE(node_id)                                                                        \
	static struct wisp_uart TABLE(node_id, uart_ports)[] = {                                   \
		DT_FOREACH_PROP_ELEM(node_id, uarts, uart_PORT)};
#define uart_PORT(node_id, prop, idx)                                                              \
	[idx] = WISP_UART_INITIALIZER(TABLE(node_id, uart_ports)[idx]),
#define uart_GRANT(node_id, prop, idx) {                                                           \
	.name = DT_PROP_BY_IDX(node_id, uart_names, idx),                                          \
	.spec = DEVICE_DT_GET(DT_PHANDLE_BY_IDX(node_id, prop, idx)),                              \
	.port = &TABLE(node_id, uart_ports)[idx],                                                  \
},
/* clang-format on */

#endif /* CONFIG_WISP_UART */

#endif /* WISP_DRIVERS_UART_H_ */
