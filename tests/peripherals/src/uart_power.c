/* SPDX-License-Identifier: Apache-2.0 */

/* A serial port that works only while it is resumed, over the emulated one. */

#define DT_DRV_COMPAT wisp_test_uart

#include <zephyr/drivers/uart.h>
#include <zephyr/pm/device.h>
#include <zephyr/ztest.h>

#include "uart_power.h"

static const struct device *const port = DEVICE_DT_GET(DT_INST_PHANDLE(0, port));

static bool resumed;
static uint32_t suspended_uses;
static uart_irq_callback_user_data_t callback;
static void *user_data;

static const struct device *use(void)
{
	suspended_uses += resumed ? 0 : 1;
	return port;
}

static int poll_in(const struct device *dev, unsigned char *byte)
{
	ARG_UNUSED(dev);
	return uart_poll_in(use(), byte);
}

static void poll_out(const struct device *dev, unsigned char byte)
{
	ARG_UNUSED(dev);
	uart_poll_out(use(), byte);
}

static int err_check(const struct device *dev)
{
	ARG_UNUSED(dev);
	return uart_err_check(use());
}

static int fifo_fill(const struct device *dev, const uint8_t *bytes, int length)
{
	ARG_UNUSED(dev);
	return uart_fifo_fill(use(), bytes, length);
}

static int fifo_read(const struct device *dev, uint8_t *bytes, const int size)
{
	ARG_UNUSED(dev);
	return uart_fifo_read(use(), bytes, size);
}

static void irq_tx_enable(const struct device *dev)
{
	ARG_UNUSED(dev);
	uart_irq_tx_enable(use());
}

static void irq_tx_disable(const struct device *dev)
{
	ARG_UNUSED(dev);
	uart_irq_tx_disable(use());
}

static int irq_tx_ready(const struct device *dev)
{
	ARG_UNUSED(dev);
	return uart_irq_tx_ready(use());
}

static void irq_rx_enable(const struct device *dev)
{
	ARG_UNUSED(dev);
	uart_irq_rx_enable(use());
}

static void irq_rx_disable(const struct device *dev)
{
	ARG_UNUSED(dev);
	uart_irq_rx_disable(use());
}

static int irq_rx_ready(const struct device *dev)
{
	ARG_UNUSED(dev);
	return uart_irq_rx_ready(use());
}

static int irq_update(const struct device *dev)
{
	ARG_UNUSED(dev);
	return uart_irq_update(use());
}

static void interrupt(const struct device *dev, void *data)
{
	ARG_UNUSED(dev);
	callback(data, user_data);
}

static void irq_callback_set(const struct device *dev, uart_irq_callback_user_data_t function,
			     void *data)
{
	callback = function;
	user_data = data;
	(void)uart_irq_callback_user_data_set(use(), interrupt, (void *)dev);
}

static DEVICE_API(uart, api) = {
	.poll_in = poll_in,
	.poll_out = poll_out,
	.err_check = err_check,
	.fifo_fill = fifo_fill,
	.fifo_read = fifo_read,
	.irq_tx_enable = irq_tx_enable,
	.irq_tx_disable = irq_tx_disable,
	.irq_tx_ready = irq_tx_ready,
	.irq_rx_enable = irq_rx_enable,
	.irq_rx_disable = irq_rx_disable,
	.irq_rx_ready = irq_rx_ready,
	.irq_update = irq_update,
	.irq_callback_set = irq_callback_set,
};

static int act(const struct device *dev, enum pm_device_action action)
{
	ARG_UNUSED(dev);
	resumed = (action == PM_DEVICE_ACTION_RESUME);
	return 0;
}

static int begin(const struct device *dev)
{
	return pm_device_driver_init(dev, act);
}

PM_DEVICE_DT_INST_DEFINE(0, act);
DEVICE_DT_INST_DEFINE(0, begin, PM_DEVICE_DT_INST_GET(0), NULL, NULL, POST_KERNEL,
		      CONFIG_SERIAL_INIT_PRIORITY, &api);

bool uart_power_is_on(void)
{
	return resumed;
}

uint32_t uart_power_suspended_uses(void)
{
	return suspended_uses;
}
