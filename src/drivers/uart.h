/* SPDX-License-Identifier: Apache-2.0 */

/* Buffers of a granted serial port, between interrupts and the app. */

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
	uint8_t received_bytes[CONFIG_WISP_UART_RX_BUFFER];
	uint8_t sending_bytes[CONFIG_WISP_UART_TX_BUFFER];
};

#define WISP_UART_INITIALIZER(_name)                                                               \
	{                                                                                          \
		.changed = K_POLL_SIGNAL_INITIALIZER(_name.changed),                               \
		.received = RING_BUF_INIT(_name.received_bytes, CONFIG_WISP_UART_RX_BUFFER),       \
		.sending = RING_BUF_INIT(_name.sending_bytes, CONFIG_WISP_UART_TX_BUFFER),         \
	}

#endif /* CONFIG_WISP_UART */

#endif /* WISP_DRIVERS_UART_H_ */
