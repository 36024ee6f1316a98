/* SPDX-License-Identifier: Apache-2.0 */

/* Simulates the other side of the serial port: sends requests, and prints the answers. */

#include <string.h>

#include <zephyr/drivers/serial/uart_emul.h>
#include <zephyr/kernel.h>
#include <zephyr/sys/printk.h>

#define PEER_STACK 1024

static void talk(void *p1, void *p2, void *p3)
{
	static const char *const questions[] = {"w 10 48 65 6c 6c 6f\n", "r 10 5\n", "r 10\n"};
	const struct device *port = DEVICE_DT_GET(DT_NODELABEL(host_port));

	ARG_UNUSED(p1);
	ARG_UNUSED(p2);
	ARG_UNUSED(p3);
	for (size_t i = 0;; i = (i + 1) % ARRAY_SIZE(questions)) {
		uint8_t answer[64] = {0};

		(void)uart_emul_put_rx_data(port, (const uint8_t *)questions[i],
					    strlen(questions[i]));
		k_msleep(500);
		if (uart_emul_get_tx_data(port, answer, sizeof(answer) - 1) > 0) {
			printk("%.*s: %s", (int)strlen(questions[i]) - 1, questions[i], answer);
		}
	}
}
K_THREAD_DEFINE(peer, PEER_STACK, talk, NULL, NULL, NULL, 12, 0, 200);
