/* SPDX-License-Identifier: Apache-2.0 */

#include <errno.h>

#include <zephyr/drivers/uart.h>
#include <zephyr/kernel.h>
#include <zephyr/pm/device_runtime.h>
#include <zephyr/sys/util.h>

#include <wisp/wisp.h>

#include "app/deadline.h"
#include "app/grants.h"
#include "border/errno.h"
#include "border/shim.h"
#include "drivers/uart.h"

/* Number of bytes that an interrupt copies at a time, on the interrupt's stack. */
#define CHUNK 16

/* Time after which the port itself has sent the bytes that it took, at 9600 baud up to 240. */
#define SENT K_MSEC(250)

/* Serializes opening of ports, so that two apps cannot open the same port. */
static struct k_spinlock opening;

/*
 * Rust passes only indices that a search returned. The check limits the effect of a mistake there.
 */
static const struct device *granted(const struct wisp_app *app, uint32_t uart)
{
	if (app->grants == NULL || uart >= app->grants->uart_count) {
		return NULL;
	}
	return app->grants->uart[uart].spec;
}

int32_t wisp_shim_uart_find(const struct wisp_app *app, const uint8_t *label, size_t length)
{
	return (app->grants == NULL) ? -1
				     : wisp_grant_find(app->grants->uart, app->grants->uart_count,
						       sizeof(app->grants->uart[0]), label, length);
}

#ifdef CONFIG_WISP_EVENT

static void raise_event(struct wisp_uart *port)
{
	bool due = false;

	K_SPINLOCK(&port->lock) {
		due = port->watched && !port->told && !ring_buf_is_empty(&port->received);
		if (due) {
			/* If the queue of events is full, the next byte tries again. */
			port->told = wisp_events_add(port->events, WISP_EVENT_UART, port->index, 0);
		}
	}
	if (due) {
		wisp_events_announce(port->events);
	}
}

#else

static void raise_event(struct wisp_uart *port)
{
	ARG_UNUSED(port);
}

#endif /* CONFIG_WISP_EVENT */

static void receive(const struct device *dev, struct wisp_uart *port)
{
	uint8_t chunk[CHUNK];
	int count;

	while ((count = uart_fifo_read(dev, chunk, sizeof(chunk))) > 0) {
		K_SPINLOCK(&port->lock) {
			/* After a close bytes are still sent, but none are received. */
			if (port->open) {
				port->lost += (uint32_t)count -
					      ring_buf_put(&port->received, chunk, (uint32_t)count);
			}
		}
	}
	raise_event(port);
}

/*
 * Resumes the device, which is suspended while nobody uses it with CONFIG_PM_DEVICE_RUNTIME. The
 * port is open, so no interrupt suspends the device meanwhile.
 */
static int power_up(const struct device *dev, struct wisp_uart *port)
{
	int ret = port->powered ? 0 : pm_device_runtime_get(dev);

	port->powered = ret == 0;
	return ret;
}

/* Lets the device be suspended if the port is closed and all bytes are sent. */
static void power_down(const struct device *dev, struct wisp_uart *port)
{
	bool is_idle = false;
	int ret = 0;

	K_SPINLOCK(&port->lock) {
		is_idle = port->powered && !port->open && ring_buf_is_empty(&port->sending);
		port->powered = port->powered && !is_idle;
	}
	if (is_idle) {
		ret = pm_device_runtime_put_async(dev, SENT);
	}
	/*
	 * It fails in an interrupt while a thread changes the state. The next close tries again.
	 * With -EALREADY, the firmware enabled this power management after the port was opened, so
	 * that the device was not resumed for the port.
	 */
	if (ret != 0 && ret != -EALREADY) {
		port->powered = true;
	}
}

static void transmit(const struct device *dev, struct wisp_uart *port)
{
	uint8_t chunk[CHUNK];
	uint32_t count = 0;
	int taken = 0;

	K_SPINLOCK(&port->lock) {
		count = ring_buf_peek(&port->sending, chunk, sizeof(chunk));
		if (count == 0) {
			uart_irq_tx_disable(dev);
		}
	}
	if (count > 0) {
		taken = uart_fifo_fill(dev, chunk, (int)count);
	} else {
		power_down(dev, port);
	}
	if (taken > 0) {
		K_SPINLOCK(&port->lock) {
			(void)ring_buf_get(&port->sending, NULL, (uint32_t)taken);
		}
	}
}

static void interrupt(const struct device *dev, void *user_data)
{
	struct wisp_uart *port = user_data;
	int errors;

	if (uart_irq_update(dev) <= 0) {
		return;
	}
	errors = uart_err_check(dev);
	if (errors > 0) {
		K_SPINLOCK(&port->lock) {
			port->line_errors++;
		}
	}
	if (uart_irq_rx_ready(dev) > 0) {
		receive(dev, port);
	}
	if (uart_irq_tx_ready(dev) > 0) {
		transmit(dev, port);
	}
	(void)k_poll_signal_raise(&port->changed, 0);
}

static bool busy(struct wisp_uart *port)
{
	return port->open || !ring_buf_is_empty(&port->sending);
}

/* Returns true if another app has the same port open. */
static bool taken(const struct device *dev, const struct wisp_uart *own)
{
	STRUCT_SECTION_FOREACH(wisp_app, app) {
		for (uint32_t i = 0; app->grants != NULL && i < app->grants->uart_count; i++) {
			struct wisp_uart *port = app->grants->uart[i].port;

			if (app->grants->uart[i].spec == dev && port != own && busy(port)) {
				return true;
			}
		}
	}
	return false;
}

uint32_t wisp_shim_uart_open(const struct wisp_app *app, uint32_t uart)
{
	const struct device *dev = granted(app, uart);
	struct wisp_uart *port;
	unsigned char unheard;
	bool is_free = false;
	int ret;

	if (dev == NULL || !device_is_ready(dev)) {
		return WISP_ENODEV;
	}
	port = app->grants->uart[uart].port;
	wisp_shim_uart_close(app, uart);
	K_SPINLOCK(&opening) {
		is_free = !taken(dev, port);
		K_SPINLOCK(&port->lock) {
			port->open = is_free;
		}
	}
	if (!is_free) {
		return WISP_EBUSY;
	}
	ret = power_up(dev, port);
	if (ret == 0) {
		ret = uart_irq_callback_user_data_set(dev, interrupt, port);
	}
	if (ret != 0) {
		port->open = false;
		power_down(dev, port);
		return wisp_driver_error(ret);
	}
#ifdef CONFIG_WISP_EVENT
	port->events = app->grants->events;
	port->index = (uint8_t)uart;
#endif
	port->lost = 0;
	port->line_errors = 0;
	/* Discard bytes that were received while the port was closed. */
	for (uint32_t i = 0; i < CONFIG_WISP_UART_RX_BUFFER && uart_poll_in(dev, &unheard) == 0;
	     i++) {
	}
	uart_irq_rx_enable(dev);
	return 0;
}

void wisp_shim_uart_close(const struct wisp_app *app, uint32_t uart)
{
	const struct device *dev = granted(app, uart);
	struct wisp_uart *port;

	if (dev == NULL || !app->grants->uart[uart].port->open) {
		return;
	}
	port = app->grants->uart[uart].port;
	uart_irq_rx_disable(dev);
	(void)wisp_shim_uart_watch(app, uart, false);
	K_SPINLOCK(&port->lock) {
		ring_buf_reset(&port->received);
		port->open = false;
	}
	power_down(dev, port);
}

/* Waits until bytes arrive or room becomes free. Returns false after the timeout. */
static bool wait(const struct wisp_app *app, struct wisp_uart *port, uint64_t until_us)
{
	uint64_t now = wisp_shim_uptime_us();

	if (until_us <= now) {
		return false;
	}
	wisp_app_wait(app, &port->changed, until_us - now);
	return true;
}

uint32_t wisp_shim_uart_read(const struct wisp_app *app, uint32_t uart, uint8_t *buffer,
			     uint32_t length, uint64_t until_us, uint32_t *count)
{
	struct wisp_uart *port = app->grants->uart[uart].port;

	*count = 0;
	while (!app->data->stopping) {
		/*
		 * Reset the semaphore before reading the buffers, so that later bytes raise it
		 * again.
		 */
		k_poll_signal_reset(&port->changed);
		K_SPINLOCK(&port->lock) {
			*count = ring_buf_get(&port->received, buffer, length);
#ifdef CONFIG_WISP_EVENT
			port->told = port->told && !ring_buf_is_empty(&port->received);
#endif
		}
		if (*count > 0 || !wait(app, port, until_us)) {
			return WISP_WAIT_EVENT;
		}
	}
	return WISP_WAIT_STOP;
}

uint32_t wisp_shim_uart_write(const struct wisp_app *app, uint32_t uart, const uint8_t *bytes,
			      uint32_t length, uint64_t until_us, uint32_t *count)
{
	struct wisp_uart *port = app->grants->uart[uart].port;

	*count = 0;
	while (!app->data->stopping) {
		k_poll_signal_reset(&port->changed);
		K_SPINLOCK(&port->lock) {
			*count = ring_buf_put(&port->sending, bytes, length);
		}
		uart_irq_tx_enable(app->grants->uart[uart].spec);
		if (*count > 0 || !wait(app, port, until_us)) {
			return WISP_WAIT_EVENT;
		}
	}
	return WISP_WAIT_STOP;
}

uint32_t wisp_shim_uart_flush(const struct wisp_app *app, uint32_t uart, uint64_t until_us,
			      bool *empty)
{
	struct wisp_uart *port = app->grants->uart[uart].port;

	while (!app->data->stopping) {
		k_poll_signal_reset(&port->changed);
		K_SPINLOCK(&port->lock) {
			*empty = ring_buf_is_empty(&port->sending);
		}
		if (*empty || !wait(app, port, until_us)) {
			return WISP_WAIT_EVENT;
		}
	}
	return WISP_WAIT_STOP;
}

uint32_t wisp_shim_uart_available(const struct wisp_app *app, uint32_t uart)
{
	struct wisp_uart *port = app->grants->uart[uart].port;
	uint32_t available = 0;

	K_SPINLOCK(&port->lock) {
		available = ring_buf_size_get(&port->received);
	}
	return available;
}

void wisp_shim_uart_errors(const struct wisp_app *app, uint32_t uart, uint32_t *lost,
			   uint32_t *line)
{
	struct wisp_uart *port = app->grants->uart[uart].port;

	K_SPINLOCK(&port->lock) {
		*lost = port->lost;
		*line = port->line_errors;
		port->lost = 0;
		port->line_errors = 0;
	}
}

#ifdef CONFIG_WISP_EVENT

uint32_t wisp_shim_uart_watch(const struct wisp_app *app, uint32_t uart, bool on)
{
	struct wisp_uart *port = app->grants->uart[uart].port;

	K_SPINLOCK(&port->lock) {
		port->watched = on;
		port->told = false;
		/* With the lock, so that the event of a byte that comes now is not dropped. */
		wisp_events_drop(app->grants->events, WISP_EVENT_UART, (uint8_t)uart);
	}
	raise_event(port);
	return 0;
}

#else

uint32_t wisp_shim_uart_watch(const struct wisp_app *app, uint32_t uart, bool on)
{
	ARG_UNUSED(app);
	ARG_UNUSED(uart);
	ARG_UNUSED(on);
	return WISP_ENOTSUP;
}

#endif /* CONFIG_WISP_EVENT */
