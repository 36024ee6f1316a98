/* SPDX-License-Identifier: Apache-2.0 */

/* The air around a board without a radio: what the board advertises comes back to it. */

#include <zephyr/bluetooth/hci_types.h>
#include <zephyr/kernel.h>

#include "../../../tests/ble/src/controller.h"

/* The address of the device that is heard. */
#define ADDRESS 0xc00000000001
#define RSSI    -40

/* A unit of advertising intervals in microseconds, and the shortest interval. */
#define UNIT_US  625
#define SHORTEST 32

static void carry(void *a, void *b, void *c)
{
	ARG_UNUSED(a);
	ARG_UNUSED(b);
	ARG_UNUSED(c);
	while (true) {
		uint32_t interval = MAX(controller.interval, SHORTEST);

		k_sleep(K_USEC(interval * UNIT_US));
		if (controller.advertises) {
			controller_hear(BT_HCI_ADV_NONCONN_IND, ADDRESS, RSSI, controller.data,
					controller.data_length);
		}
	}
}
K_THREAD_DEFINE(air, 1024 + 2048 * IS_ENABLED(CONFIG_ARCH_POSIX), carry, NULL, NULL, NULL,
		K_PRIO_PREEMPT(5), 0, 0);
