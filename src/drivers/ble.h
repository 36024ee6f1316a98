/* SPDX-License-Identifier: Apache-2.0 */

/* Bluetooth of an app, and the queue between the radio and the app. grants.c makes the tables. */

#ifndef WISP_DRIVERS_BLE_H_
#define WISP_DRIVERS_BLE_H_

#include <zephyr/kernel.h>

#include "border/shim.h"
#ifdef CONFIG_WISP_BLE_GATT
#include "drivers/ble_gatt.h"
#endif
#include "drivers/event.h"

/* What the thread for Bluetooth is to do for an app. */
enum wisp_ble_task {
	WISP_BLE_NOTHING,
	WISP_BLE_ADVERTISE,
	WISP_BLE_STOP_ADVERTISING,
	WISP_BLE_SCAN,
	WISP_BLE_STOP_SCANNING,
	WISP_BLE_SERVE,
	WISP_BLE_STOP_SERVING,
	/* Tell clients of the value of the characteristic `subject`. */
	WISP_BLE_NOTIFY,
	/* The app has ended. */
	WISP_BLE_RELEASE,
};

struct wisp_ble_announcement {
	uint16_t interval_ms;
	uint8_t length;
	uint8_t response_length;
	uint8_t data[WISP_BLE_MAX_DATA];
	uint8_t response[WISP_BLE_MAX_DATA];
};

struct wisp_ble {
	/* Entries, of which the build or the start of the app has checked that they can be read. */
	const char *const *advertise;
	const char *const *scan;
	uint8_t advertise_count;
	uint8_t scan_count;
	uint16_t min_interval_ms;
	struct wisp_events *events;
#ifdef CONFIG_WISP_BLE_GATT
	/* NULL without a service. */
	struct wisp_gatt *gatt;
	uint8_t subject;
#endif
	struct k_work work;
	struct k_spinlock lock;
	/* Raised when a task is done, and when a report has arrived. */
	struct k_poll_signal changed;
	/* An enum wisp_ble_task, and how the last one ended. */
	uint8_t task;
	uint8_t error;
	bool scanning;
	bool watched;
	/* True if an event was raised for the reports that wait. */
	bool told;
	uint16_t first;
	uint16_t count;
	uint32_t lost;
	struct wisp_ble_announcement announcement;
	struct wisp_ble_report queue[CONFIG_WISP_BLE_QUEUE];
};

/* Calls the Bluetooth host for an app, in the thread for Bluetooth. */
void wisp_ble_work(struct k_work *work);

/* Returns who advertises that clients can connect, or NULL. */
const struct wisp_ble *wisp_ble_connectable(void);

/* Has advertising continue after a client has left. */
void wisp_ble_resume(void);

/* Waits until the thread for Bluetooth has done what it was given. Returns false for a stop. */
bool wisp_ble_is_done(const struct wisp_app *app, struct wisp_ble *ble);

/* Has a task done. Returns an enum wisp_wait: WISP_WAIT_EVENT with the error. */
uint32_t wisp_ble_ask(const struct wisp_app *app, struct wisp_ble *ble, enum wisp_ble_task task,
		      uint32_t *error);

#define WISP_BLE_INITIALIZER(_name)                                                                \
	.work = Z_WORK_INITIALIZER(wisp_ble_work),                                                 \
	.changed = K_POLL_SIGNAL_INITIALIZER(_name.changed)

#endif /* WISP_DRIVERS_BLE_H_ */
