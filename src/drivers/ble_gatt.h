/* SPDX-License-Identifier: Apache-2.0 */

/* The GATT service of an app. grants.c makes the tables. */

#ifndef WISP_DRIVERS_BLE_GATT_H_
#define WISP_DRIVERS_BLE_GATT_H_

#include <zephyr/bluetooth/gatt.h>
#include <zephyr/bluetooth/uuid.h>

#include "border/shim.h"

struct wisp_ble;

struct wisp_gatt_characteristic {
	struct wisp_ble *ble;
	struct bt_uuid_128 uuid;
	struct bt_gatt_chrc declaration;
	struct bt_gatt_ccc_managed_user_data subscribers;
	/* Bytes that fit, and bytes that are there. */
	uint8_t size;
	uint8_t length;
	uint8_t value[WISP_BLE_MAX_VALUE];
};

struct wisp_gatt {
	/* The UUID as text. */
	const char *text;
	struct bt_uuid_128 uuid;
	struct bt_gatt_service service;
	/* One for the service, and for each characteristic up to three. */
	struct bt_gatt_attr attributes[1 + 3 * CONFIG_WISP_BLE_CHARACTERISTICS];
	struct wisp_gatt_characteristic characteristics[CONFIG_WISP_BLE_CHARACTERISTICS];
	uint8_t count;
	bool serves;
	/* True if an event was raised for the values that wait. */
	bool told;
	uint16_t first;
	uint16_t waiting;
	struct wisp_ble_written queue[CONFIG_WISP_BLE_QUEUE];
};

/*
 * These are called in the thread for Bluetooth. They offer the service, withdraw it and disconnect
 * the client, and tell subscribers of the value of a characteristic.
 */
int wisp_gatt_serve(struct wisp_ble *ble);
int wisp_gatt_stop(struct wisp_ble *ble);
int wisp_gatt_notify(struct wisp_ble *ble);
/* Returns true if a client is connected through advertisements of apps. */
bool wisp_gatt_has_client(void);

/* Raises the event for values that were written, if it is due. */
void wisp_gatt_raise_event(struct wisp_ble *ble);

#endif /* WISP_DRIVERS_BLE_GATT_H_ */
