/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The host keeps the attributes and the values of a service. So what an app does, or leaves undone,
 * never reaches a client before it was checked, and no client waits for an app.
 */

#include <errno.h>
#include <string.h>

#include <zephyr/bluetooth/conn.h>
#include <zephyr/kernel.h>
#include <zephyr/sys/byteorder.h>
#include <zephyr/sys/util.h>

#include <wisp/wisp.h>

#include "app/deadline.h"
#include "app/grants.h"
#include "border/shim.h"
#include "drivers/ble.h"

#ifdef CONFIG_WISP_BLE_GATT

BUILD_ASSERT(BT_GATT_CHRC_READ == 2 && BT_GATT_CHRC_WRITE == 8 && BT_GATT_CHRC_NOTIFY == 16,
	     "the properties of wisp:ble@1 are Zephyr's");

static const struct bt_uuid_16 primary = BT_UUID_INIT_16(BT_UUID_GATT_PRIMARY_VAL);
static const struct bt_uuid_16 characteristic_uuid = BT_UUID_INIT_16(BT_UUID_GATT_CHRC_VAL);
static const struct bt_uuid_16 subscribers_uuid = BT_UUID_INIT_16(BT_UUID_GATT_CCC_VAL);

/* The client that is connected through the advertisements of an app, and that app. */
static struct k_spinlock client_lock;
static struct bt_conn *client;
static const struct wisp_ble *client_of;

static struct wisp_gatt *gatt_of(const struct wisp_app *app)
{
	struct wisp_ble *ble = app->grants == NULL ? NULL : app->grants->ble;

	return ble == NULL ? NULL : ble->gatt;
}

bool wisp_gatt_has_client(void)
{
	bool has = false;

	K_SPINLOCK(&client_lock) {
		has = client != NULL;
	}
	return has;
}

static void connected(struct bt_conn *conn, uint8_t error)
{
	const struct wisp_ble *advertiser = wisp_ble_connectable();
	struct bt_conn_info info;

	/* The firmware may connect to others. */
	if (error != 0 || advertiser == NULL || bt_conn_get_info(conn, &info) != 0 ||
	    info.role != BT_CONN_ROLE_PERIPHERAL) {
		return;
	}
	K_SPINLOCK(&client_lock) {
		if (client == NULL) {
			client = bt_conn_ref(conn);
			client_of = advertiser;
		}
	}
}

static void disconnected(struct bt_conn *conn, uint8_t reason)
{
	bool was_client = false;

	ARG_UNUSED(reason);
	K_SPINLOCK(&client_lock) {
		was_client = client == conn;
		if (was_client) {
			client = NULL;
			client_of = NULL;
		}
	}
	if (was_client) {
		bt_conn_unref(conn);
	}
}

BT_CONN_CB_DEFINE(callbacks) = {
	.connected = connected,
	.disconnected = disconnected,
	.recycled = wisp_ble_resume,
};

static struct wisp_ble_written *place(struct wisp_gatt *gatt, uint32_t index)
{
	return &gatt->queue[(gatt->first + index) % CONFIG_WISP_BLE_QUEUE];
}

#ifdef CONFIG_WISP_EVENT
void wisp_gatt_raise_event(struct wisp_ble *ble)
{
	struct wisp_gatt *gatt = ble->gatt;
	bool due = false;

	if (gatt == NULL) {
		return;
	}
	K_SPINLOCK(&ble->lock) {
		due = ble->watched && !gatt->told && gatt->waiting > 0;
		if (due) {
			/* If the queue of events is full, the next value tries again. */
			gatt->told = wisp_events_add(ble->events, WISP_EVENT_BLE, 1, 0);
		}
	}
	if (due) {
		wisp_events_announce(ble->events);
	}
}
#else
void wisp_gatt_raise_event(struct wisp_ble *ble)
{
	ARG_UNUSED(ble);
}
#endif

static ssize_t read_value(struct bt_conn *conn, const struct bt_gatt_attr *attr, void *buf,
			  uint16_t len, uint16_t offset)
{
	struct wisp_gatt_characteristic *characteristic = attr->user_data;
	uint8_t value[WISP_BLE_MAX_VALUE];
	uint8_t length = 0;

	K_SPINLOCK(&characteristic->ble->lock) {
		length = characteristic->length;
		memcpy(value, characteristic->value, length);
	}
	return bt_gatt_attr_read(conn, attr, buf, len, offset, value, length);
}

static ssize_t write_value(struct bt_conn *conn, const struct bt_gatt_attr *attr, const void *buf,
			   uint16_t len, uint16_t offset, uint8_t flags)
{
	struct wisp_gatt_characteristic *characteristic = attr->user_data;
	struct wisp_ble *ble = characteristic->ble;
	struct wisp_gatt *gatt = ble->gatt;
	struct wisp_ble_written written = {
		.time_us = wisp_shim_uptime_us(),
		.address = sys_get_le48(bt_conn_get_dst(conn)->a.val),
		.characteristic = (uint8_t)(characteristic - gatt->characteristics),
		.length = (uint8_t)len,
	};
	bool taken = false;

	ARG_UNUSED(flags);
	if (offset != 0) {
		return BT_GATT_ERR(BT_ATT_ERR_INVALID_OFFSET);
	}
	if (len > characteristic->size) {
		return BT_GATT_ERR(BT_ATT_ERR_INVALID_ATTRIBUTE_LEN);
	}
	memcpy(written.data, buf, len);
	K_SPINLOCK(&ble->lock) {
		taken = gatt->serves && gatt->waiting < CONFIG_WISP_BLE_QUEUE;
		if (taken) {
			*place(gatt, gatt->waiting) = written;
			gatt->waiting++;
			characteristic->length = (uint8_t)len;
			memcpy(characteristic->value, buf, len);
		}
	}
	if (!taken) {
		return BT_GATT_ERR(BT_ATT_ERR_INSUFFICIENT_RESOURCES);
	}
	wisp_gatt_raise_event(ble);
	(void)k_poll_signal_raise(&ble->changed, 0);
	return len;
}

/* Makes the attributes of a characteristic, and returns how many they are. */
static size_t describe(struct wisp_gatt_characteristic *characteristic, struct bt_gatt_attr *to)
{
	uint8_t properties = characteristic->declaration.properties;
	size_t count = 2;

	to[0] = (struct bt_gatt_attr){
		.uuid = &characteristic_uuid.uuid,
		.perm = BT_GATT_PERM_READ,
		.read = bt_gatt_attr_read_chrc,
		.user_data = &characteristic->declaration,
	};
	to[1] = (struct bt_gatt_attr){
		.uuid = &characteristic->uuid.uuid,
		.perm = ((properties & BT_GATT_CHRC_READ) ? BT_GATT_PERM_READ : 0) |
			((properties & BT_GATT_CHRC_WRITE) ? BT_GATT_PERM_WRITE : 0),
		.read = read_value,
		.write = write_value,
		.user_data = characteristic,
	};
	if ((properties & BT_GATT_CHRC_NOTIFY) != 0) {
		to[count++] = (struct bt_gatt_attr){
			.uuid = &subscribers_uuid.uuid,
			.perm = BT_GATT_PERM_READ | BT_GATT_PERM_WRITE,
			.read = bt_gatt_attr_read_ccc,
			.write = bt_gatt_attr_write_ccc,
			.user_data = &characteristic->subscribers,
		};
	}
	return count;
}

int wisp_gatt_serve(struct wisp_ble *ble)
{
	struct wisp_gatt *gatt = ble->gatt;
	size_t count = 1;
	int ret;

	gatt->attributes[0] = (struct bt_gatt_attr){
		.uuid = &primary.uuid,
		.perm = BT_GATT_PERM_READ,
		.read = bt_gatt_attr_read_service,
		.user_data = &gatt->uuid,
	};
	for (uint32_t i = 0; i < gatt->count; i++) {
		count += describe(&gatt->characteristics[i], &gatt->attributes[count]);
	}
	gatt->service.attrs = gatt->attributes;
	gatt->service.attr_count = count;
	/* Before a client can find it. */
	gatt->serves = true;
	ret = bt_gatt_service_register(&gatt->service);
	gatt->serves = ret == 0;
	/* Zephyr's -EINVAL is that the firmware has not loaded the settings of Bluetooth. */
	return ret == -EINVAL ? -EIO : ret;
}

int wisp_gatt_stop(struct wisp_ble *ble)
{
	struct wisp_gatt *gatt = ble->gatt;
	struct bt_conn *conn = NULL;
	int ret = 0;

	if (gatt == NULL) {
		return 0;
	}
	if (gatt->serves) {
		ret = bt_gatt_service_unregister(&gatt->service);
	}
	K_SPINLOCK(&ble->lock) {
		gatt->serves = false;
		gatt->count = 0;
		gatt->first = 0;
		gatt->waiting = 0;
		gatt->told = false;
#ifdef CONFIG_WISP_EVENT
		wisp_events_drop(ble->events, WISP_EVENT_BLE, 1);
#endif
	}
	K_SPINLOCK(&client_lock) {
		if (client != NULL && client_of == ble) {
			conn = bt_conn_ref(client);
		}
	}
	if (conn != NULL) {
		(void)bt_conn_disconnect(conn, BT_HCI_ERR_REMOTE_USER_TERM_CONN);
		bt_conn_unref(conn);
	}
	return ret;
}

int wisp_gatt_notify(struct wisp_ble *ble)
{
	struct wisp_gatt_characteristic *changed = &ble->gatt->characteristics[ble->subject];
	uint8_t value[WISP_BLE_MAX_VALUE];
	uint8_t length = 0;

	if (!ble->gatt->serves) {
		return 0;
	}
	K_SPINLOCK(&ble->lock) {
		length = changed->length;
		memcpy(value, changed->value, length);
	}
	/* Finds the attribute by its user data, since those before it differ in number. */
	for (size_t i = 0; i < ble->gatt->service.attr_count; i++) {
		if (ble->gatt->attributes[i].user_data == changed) {
			(void)bt_gatt_notify(NULL, &ble->gatt->attributes[i], value, length);
		}
	}
	/* Without a client that asked for it, nobody is told. */
	return 0;
}

/* Returns WISP_WAIT_EVENT if the app has a service and no task of its last run is left. */
static uint32_t begin(const struct wisp_app *app, struct wisp_gatt **gatt, uint32_t *error)
{
	*gatt = gatt_of(app);
	*error = (*gatt == NULL) ? WISP_EACCES : 0;
	return (*gatt == NULL || wisp_ble_is_done(app, app->grants->ble)) ? WISP_WAIT_EVENT
									  : WISP_WAIT_STOP;
}

uint32_t wisp_shim_ble_declare(const struct wisp_app *app, const uint8_t *uuid, uint8_t properties,
			       uint8_t size, uint32_t *characteristic, uint32_t *error)
{
	struct wisp_gatt *gatt;
	uint32_t wait = begin(app, &gatt, error);
	struct wisp_gatt_characteristic *next;

	if (wait != WISP_WAIT_EVENT || *error != 0) {
		return wait;
	}
	if (gatt->serves) {
		*error = WISP_EBUSY;
	} else if (gatt->count == CONFIG_WISP_BLE_CHARACTERISTICS) {
		*error = WISP_ENOSPC;
	} else if (size == 0 || size > WISP_BLE_MAX_VALUE) {
		*error = WISP_EINVAL;
	} else {
		next = &gatt->characteristics[gatt->count];
		*next = (struct wisp_gatt_characteristic){
			.ble = app->grants->ble,
			.uuid.uuid.type = BT_UUID_TYPE_128,
			.declaration = {.uuid = &next->uuid.uuid, .properties = properties},
			.size = size,
		};
		memcpy(next->uuid.val, uuid, sizeof(next->uuid.val));
		*characteristic = gatt->count++;
	}
	return WISP_WAIT_EVENT;
}

uint32_t wisp_shim_ble_serve(const struct wisp_app *app, const uint8_t *uuid, uint32_t *error)
{
	struct wisp_gatt *gatt;
	uint32_t wait = begin(app, &gatt, error);

	if (wait != WISP_WAIT_EVENT || *error != 0) {
		return wait;
	}
	if (gatt->serves) {
		*error = WISP_EBUSY;
		return WISP_WAIT_EVENT;
	}
	if (gatt->count == 0) {
		*error = WISP_EINVAL;
		return WISP_WAIT_EVENT;
	}
	gatt->uuid.uuid.type = BT_UUID_TYPE_128;
	memcpy(gatt->uuid.val, uuid, sizeof(gatt->uuid.val));
	return wisp_ble_ask(app, app->grants->ble, WISP_BLE_SERVE, error);
}

uint32_t wisp_shim_ble_stop_serving(const struct wisp_app *app, uint32_t *error)
{
	struct wisp_gatt *gatt;
	uint32_t wait = begin(app, &gatt, error);

	if (wait != WISP_WAIT_EVENT || *error != 0) {
		*error = 0;
		return wait;
	}
	return wisp_ble_ask(app, app->grants->ble, WISP_BLE_STOP_SERVING, error);
}

uint32_t wisp_shim_ble_set(const struct wisp_app *app, uint32_t characteristic,
			   const uint8_t *value, size_t length, uint32_t *error)
{
	struct wisp_gatt *gatt;
	uint32_t wait = begin(app, &gatt, error);
	struct wisp_gatt_characteristic *changed;

	if (wait != WISP_WAIT_EVENT || *error != 0) {
		return wait;
	}
	if (characteristic >= gatt->count) {
		*error = WISP_EINVAL;
		return WISP_WAIT_EVENT;
	}
	changed = &gatt->characteristics[characteristic];
	if (length > changed->size) {
		*error = WISP_EMSGSIZE;
		return WISP_WAIT_EVENT;
	}
	K_SPINLOCK(&app->grants->ble->lock) {
		changed->length = (uint8_t)length;
		memcpy(changed->value, value, length);
	}
	if (!gatt->serves || (changed->declaration.properties & BT_GATT_CHRC_NOTIFY) == 0) {
		return WISP_WAIT_EVENT;
	}
	app->grants->ble->subject = (uint8_t)characteristic;
	return wisp_ble_ask(app, app->grants->ble, WISP_BLE_NOTIFY, error);
}

static bool take(struct wisp_ble *ble, struct wisp_ble_written *written)
{
	struct wisp_gatt *gatt = ble->gatt;
	bool taken = false;

	K_SPINLOCK(&ble->lock) {
		if (gatt->waiting == 0) {
			K_SPINLOCK_BREAK;
		}
		*written = *place(gatt, 0);
		gatt->first = (gatt->first + 1) % CONFIG_WISP_BLE_QUEUE;
		gatt->waiting--;
		gatt->told = gatt->told && gatt->waiting > 0;
		taken = true;
	}
	return taken;
}

uint32_t wisp_shim_ble_written(const struct wisp_app *app, uint64_t until_us,
			       struct wisp_ble_written *written)
{
	struct wisp_ble *ble = gatt_of(app) == NULL ? NULL : app->grants->ble;

	/* What is left of the last run is not for this one. */
	if (ble != NULL && !wisp_ble_is_done(app, ble)) {
		return WISP_WAIT_STOP;
	}
	while (!app->data->stopping) {
		uint64_t now = wisp_shim_uptime_us();

		if (ble != NULL) {
			/* Reset before the look, so that a later value raises it again. */
			k_poll_signal_reset(&ble->changed);
			if (take(ble, written)) {
				return WISP_WAIT_EVENT;
			}
		}
		if (until_us <= now) {
			return WISP_WAIT_NOTHING;
		}
		wisp_app_wait(app, ble == NULL ? NULL : &ble->changed, until_us - now);
	}
	return WISP_WAIT_STOP;
}

#else

uint32_t wisp_shim_ble_declare(const struct wisp_app *app, const uint8_t *uuid, uint8_t properties,
			       uint8_t size, uint32_t *characteristic, uint32_t *error)
{
	ARG_UNUSED(app);
	ARG_UNUSED(uuid);
	ARG_UNUSED(properties);
	ARG_UNUSED(size);
	ARG_UNUSED(characteristic);
	*error = WISP_ENOTSUP;
	return WISP_WAIT_EVENT;
}

uint32_t wisp_shim_ble_serve(const struct wisp_app *app, const uint8_t *uuid, uint32_t *error)
{
	ARG_UNUSED(app);
	ARG_UNUSED(uuid);
	*error = WISP_ENOTSUP;
	return WISP_WAIT_EVENT;
}

uint32_t wisp_shim_ble_stop_serving(const struct wisp_app *app, uint32_t *error)
{
	ARG_UNUSED(app);
	*error = 0;
	return WISP_WAIT_EVENT;
}

uint32_t wisp_shim_ble_set(const struct wisp_app *app, uint32_t characteristic,
			   const uint8_t *value, size_t length, uint32_t *error)
{
	ARG_UNUSED(app);
	ARG_UNUSED(characteristic);
	ARG_UNUSED(value);
	ARG_UNUSED(length);
	*error = WISP_ENOTSUP;
	return WISP_WAIT_EVENT;
}

uint32_t wisp_shim_ble_written(const struct wisp_app *app, uint64_t until_us,
			       struct wisp_ble_written *written)
{
	ARG_UNUSED(written);
	/* Waits like a sleep. */
	while (!app->data->stopping) {
		uint64_t now = wisp_shim_uptime_us();

		if (until_us <= now) {
			return WISP_WAIT_NOTHING;
		}
		wisp_app_wait(app, NULL, until_us - now);
	}
	return WISP_WAIT_STOP;
}

#endif /* CONFIG_WISP_BLE_GATT */
