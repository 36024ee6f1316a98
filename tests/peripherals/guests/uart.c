/* SPDX-License-Identifier: Apache-2.0 */

#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <wisp.h>

#include "check.h"

#define BOARD(name) __attribute__((import_module("test:board@1"), import_name(name)))

BOARD("arrive") void arrive(const char *text, uint32_t length, uint32_t in_ms);
BOARD("sent") uint32_t sent(char *buffer, uint32_t size);
BOARD("line_error") void line_error(void);

#define ARRIVE(text, in_ms) arrive(text, sizeof(text) - 1, in_ms)

static char buffer[160];

static bool received(uint32_t uart, const char *text)
{
	int32_t length = (int32_t)strlen(text);

	memset(buffer, 0, sizeof(buffer));
	return wisp_uart_read(uart, buffer, sizeof(buffer), 1000) == length &&
	       memcmp(buffer, text, (size_t)length) == 0;
}

static void refused(uint32_t uart)
{
	uint32_t lost = 0;
	uint32_t line = 0;

	EXPECT(wisp_uart_read(uart, buffer, 1, 0) == -WISP_EBADF);
	EXPECT(wisp_uart_write(uart, buffer, 1, 0) == -WISP_EBADF);
	EXPECT(wisp_uart_flush(uart, 0) == -WISP_EBADF);
	EXPECT(wisp_uart_available(uart) == -WISP_EBADF);
	EXPECT(wisp_uart_watch(uart, 1) == -WISP_EBADF);
	EXPECT(wisp_uart_errors(uart, &lost, &line) == -WISP_EBADF);
	EXPECT(wisp_uart_close(uart) == -WISP_EBADF);
}

static void reading(uint32_t uart)
{
	uint64_t start = wisp_timer_uptime_us();

	EXPECT(wisp_uart_read(uart, buffer, 4, 0) == -WISP_ETIMEDOUT);
	EXPECT(wisp_uart_read(uart, buffer, 4, 10) == -WISP_ETIMEDOUT);
	EXPECT(wisp_timer_uptime_us() - start >= 10000);
	EXPECT(wisp_uart_read(uart, NOWHERE, 0, WISP_UART_FOREVER) == 0);

	/* A short read, and the rest. */
	ARRIVE("hello", 0);
	EXPECT(wisp_uart_available(uart) == 5);
	EXPECT(wisp_uart_read(uart, buffer, 2, 0) == 2 && memcmp(buffer, "he", 2) == 0);
	EXPECT(received(uart, "llo"));

	/* While the app waits. */
	ARRIVE("later", 20);
	EXPECT(wisp_uart_read(uart, buffer, 1, WISP_UART_FOREVER) == 1 && buffer[0] == 'l');
	wisp_timer_sleep_ms(5);
	EXPECT(received(uart, "ater"));

	/* 16 too many for the host's buffer. */
	for (int i = 0; i < 9; i++) {
		ARRIVE("0123456789abcdef", 0);
	}

	uint32_t lost = 0;
	uint32_t line = 0;

	EXPECT(wisp_uart_available(uart) == 128);
	EXPECT(wisp_uart_errors(uart, &lost, NOWHERE) == -WISP_EFAULT);
	line_error();
	EXPECT(wisp_uart_errors(uart, &lost, &line) == 0 && lost == 17 && line == 1);
	EXPECT(wisp_uart_errors(uart, &lost, &line) == 0 && lost == 0 && line == 0);
	EXPECT(wisp_uart_read(uart, NOWHERE, 32, 0) == -WISP_EFAULT);
	EXPECT(wisp_uart_read(uart, buffer, sizeof(buffer), 0) == 128);
	EXPECT(memcmp(buffer + 112, "0123456789abcdef", 16) == 0);
}

static void writing(uint32_t uart)
{
	EXPECT(wisp_uart_write(uart, NOWHERE, 32, 0) == -WISP_EFAULT);
	EXPECT(wisp_uart_write(uart, NOWHERE, 0, WISP_UART_FOREVER) == 0);
	EXPECT(wisp_uart_write_str(uart, "AT\r", WISP_UART_FOREVER) == 3);
	EXPECT(wisp_uart_flush(uart, 1000) == 0);
	EXPECT(sent(buffer, sizeof(buffer)) == 3 && memcmp(buffer, "AT\r", 3) == 0);

	/* Nobody takes what is sent: 32 bytes fit the emulated port and 64 the host's buffer. */
	uint32_t taken = 0;
	int32_t count;

	memset(buffer, 'x', sizeof(buffer));
	while ((count = wisp_uart_write(uart, buffer, 40, 10)) > 0) {
		taken += (uint32_t)count;
	}
	EXPECT(count == -WISP_ETIMEDOUT && taken == 32 + 64);
	EXPECT(wisp_uart_flush(uart, 10) == -WISP_ETIMEDOUT);
	/* The rest goes out as room is made. */
	EXPECT(sent(buffer, sizeof(buffer)) == 32);
	EXPECT(wisp_uart_write_str(uart, "!", 1000) == 1);
	wisp_timer_sleep_ms(5);
	EXPECT(sent(buffer, sizeof(buffer)) == 32);
	EXPECT(wisp_uart_write_str(uart, "?", 1000) == 1);
	wisp_timer_sleep_ms(5);
	EXPECT(sent(buffer, sizeof(buffer)) == 32);
	EXPECT(wisp_uart_write_str(uart, ".", 1000) == 1);
	EXPECT(wisp_uart_flush(uart, 1000) == 0);
	EXPECT(sent(buffer, sizeof(buffer)) == 3 && memcmp(buffer, "!?.", 3) == 0);
}

static struct wisp_event_event event;

static bool told(uint32_t uart, uint32_t timeout)
{
	return wisp_event_wait(timeout, &event) == 0 && event.kind == WISP_EVENT_UART &&
	       event.source == uart && event.value == 0;
}

static bool nothing(uint32_t ms)
{
	return wisp_event_wait(ms, &event) == -WISP_ETIMEDOUT;
}

static void watching(uint32_t uart)
{
	ARRIVE("a", 0);
	EXPECT(nothing(0));
	EXPECT(wisp_uart_watch(uart, 1) == 0);
	/* What is there already. Once, until all was read. */
	EXPECT(told(uart, 0) && nothing(0));
	ARRIVE("bc", 0);
	EXPECT(nothing(0));
	EXPECT(wisp_uart_read(uart, buffer, 2, 0) == 2);
	ARRIVE("d", 0);
	EXPECT(nothing(0));
	EXPECT(received(uart, "cd"));
	ARRIVE("late", 20);
	EXPECT(told(uart, WISP_EVENT_FOREVER));
	/* Not watched, nothing is told, and what waits is dropped. */
	wisp_timer_sleep_ms(5);
	EXPECT(received(uart, "late"));
	ARRIVE("e", 0);
	EXPECT(wisp_uart_watch(uart, 0) == 0);
	ARRIVE("f", 0);
	EXPECT(nothing(0));
	EXPECT(received(uart, "ef"));
}

int main(void)
{
	EXPECT(wisp_uart_open_str("console") == -WISP_EACCES);
	EXPECT(wisp_uart_open(NOWHERE, 32) == -WISP_EFAULT);
	refused(0);
	/* Heard by nobody. */
	ARRIVE("too early", 0);

	int32_t opened = wisp_uart_open_str("modem");
	uint32_t uart = (uint32_t)opened;

	EXPECT(opened >= 0);
	EXPECT(wisp_uart_open_str("modem") == opened);
	refused(uart + 1);
	refused(0xffffffff);
	EXPECT(wisp_uart_available(uart) == 0);
	reading(uart);
	writing(uart);
	watching(uart);
	EXPECT(wisp_uart_close(uart) == 0);
	refused(uart);
	/* Left open, with something to be sent. */
	EXPECT(wisp_uart_open_str("modem") == opened);
	EXPECT(wisp_uart_watch(uart, 1) == 0);
	EXPECT(wisp_uart_write_str(uart, "bye", WISP_UART_FOREVER) == 3);
	return 0;
}
