/* SPDX-License-Identifier: Apache-2.0 */

/* Serial ports: an emulated one, whose interrupts are a work queue's. */

#include <string.h>

#include <zephyr/drivers/pwm/pwm_fake.h>
#include <zephyr/drivers/serial/uart_emul.h>
#include <zephyr/drivers/uart.h>
#include <zephyr/ztest.h>

#include "support.h"
#include "uart_power.h"

ZTEST_SUITE(uart, NULL, NULL, NULL, NULL, NULL);

static const struct device *const port = DEVICE_DT_GET(DT_NODELABEL(test_uart));

static uint8_t to_arrive[16];
static size_t length;

static void come(struct k_work *work)
{
	ARG_UNUSED(work);
	zassert_equal(uart_emul_put_rx_data(port, to_arrive, length), length);
}
static K_WORK_DELAYABLE_DEFINE(come_later, come);

/* Lets the port receive something, now or in so many milliseconds. */
static uint32_t arrive(struct wisp_caller *caller, uint32_t *slots, const void *env)
{
	ARG_UNUSED(env);
	length = MIN(slots[1], sizeof(to_arrive));
	memcpy(to_arrive, wisp_caller_memory(caller, slots[0], slots[1]), length);
	if (slots[2] > 0) {
		k_work_schedule(&come_later, K_MSEC(slots[2]));
		return 0;
	}
	come(NULL);
	/* Until the emulated interrupt is over. */
	k_msleep(2);
	return 0;
}
WISP_HOST_FUNCTION_DEFINE("test:board@1", "arrive", "(*~i)", arrive);

/* Takes what the port has sent. */
static uint32_t sent(struct wisp_caller *caller, uint32_t *slots, const void *env)
{
	ARG_UNUSED(env);
	slots[0] = uart_emul_get_tx_data(port, wisp_caller_memory(caller, slots[0], slots[1]),
					 slots[1]);
	return 0;
}
WISP_HOST_FUNCTION_DEFINE("test:board@1", "sent", "(*~)i", sent);

/* A framing error, noticed with the next byte, which finds the buffer full. */
static uint32_t line_error(struct wisp_caller *caller, uint32_t *slots, const void *env)
{
	ARG_UNUSED(caller);
	ARG_UNUSED(slots);
	ARG_UNUSED(env);
	uart_emul_set_errors(port, UART_ERROR_FRAMING);
	zassert_equal(uart_emul_put_rx_data(port, (const uint8_t *)"!", 1), 1);
	k_msleep(2);
	return 0;
}
WISP_HOST_FUNCTION_DEFINE("test:board@1", "line_error", "()", line_error);

static uint32_t end_other(struct wisp_caller *caller, uint32_t *slots, const void *env)
{
	ARG_UNUSED(caller);
	ARG_UNUSED(slots);
	ARG_UNUSED(env);
	stop(FIRST);
	return 0;
}
WISP_HOST_FUNCTION_DEFINE("test:board@1", "end_other", "()", end_other);

static void before(void)
{
	uart_emul_flush_rx_data(port);
	uart_emul_flush_tx_data(port);
}

ZTEST(uart, test_functions_errors_and_what_is_left_behind)
{
	char bytes[8] = {0};

	before();
	begin(FIRST, "uart");
	succeed(FIRST);
	k_msleep(5);
	/* What the guest wrote last was sent after its end. */
	zassert_equal(uart_emul_get_tx_data(port, bytes, sizeof(bytes)), 3);
	zassert_str_equal(bytes, "bye");
	/* The port itself may still have bytes in its registers. */
	zassert_true(uart_power_is_on());
	k_msleep(300);
	zassert_false(uart_power_is_on());
	zassert_equal(uart_power_suspended_uses(), 0);
}

ZTEST(uart, test_a_wait_is_no_computing)
{
	before();
	wisp_app_set_max_run(FIRST, 100);
	begin(FIRST, "patient");
	succeed(FIRST);
	wisp_app_set_max_run(FIRST, CONFIG_WISP_MAX_RUN_MS);
}

ZTEST(uart, test_a_pin_and_a_port_belong_to_one_app_at_a_time)
{
	before();
	begin(FIRST, "keep");
	k_msleep(20);
	begin(SECOND, "want");
	succeed(SECOND);
	/* And back. */
	begin(FIRST, "keep");
	k_msleep(20);
	stop(FIRST);
}

ZTEST(uart, test_an_app_stopped_in_a_transfer_leaves_what_it_wrote_to_be_sent)
{
	char bytes[128];
	size_t count = 0;

	before();
	begin(FIRST, "slow_write");
	/* Port and host are full by then, and the app waits for room. */
	k_msleep(20);
	stop(FIRST);
	/* 32 bytes lie in the port, 64 in the host's buffer: they go out as room is made. */
	for (int i = 0; i < 4; i++) {
		count += uart_emul_get_tx_data(port, bytes + count, sizeof(bytes) - count);
		/* Room alone is no interrupt of the emulated port. */
		uart_irq_tx_enable(port);
		k_msleep(5);
	}
	zassert_equal(count, 32 + 64, "%zu", count);
	for (size_t i = 0; i < count; i++) {
		zassert_equal(bytes[i], 'x');
	}
	/* The port is free for the next. */
	before();
	begin(FIRST, "uart");
	succeed(FIRST);
	k_msleep(5);
	before();
}

ZTEST(uart, test_a_fault_releases_what_the_app_had_open)
{
	struct wisp_app_status status;
	int written;

	before();
	begin(FIRST, "keep");
	k_msleep(20);
	zassert_true(uart_power_is_on());
	zassert_equal(fake_pwm_set_cycles_fake.arg3_val, 5000);
	written = dac_written();
	/* As Zephyr does when the thread faults. */
	k_thread_abort(&FIRST->data->thread);
	wisp_app_status(FIRST, &status);
	zassert_equal(status.state, WISP_APP_FAILED);
	zassert_equal(status.error, -EFAULT);
	/* Its thread releases what was open. */
	zassert_ok(wisp_app_join(FIRST, K_SECONDS(60)));
	zassert_equal(fake_pwm_set_cycles_fake.arg3_val, 0);
	/* Another app may use an output that this one did not set. */
	zassert_equal(dac_written(), written);
	begin(SECOND, "take");
	succeed(SECOND);
	begin(FIRST, "keep");
	k_msleep(20);
	stop(FIRST);
}
