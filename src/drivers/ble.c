/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Only the thread of a work queue calls the Bluetooth host. A fault or a stop of an app then never
 * leaves the host with a mutex that nobody gives back, and apps need no stack for the host.
 */

#include <errno.h>
#include <string.h>

#include <zephyr/bluetooth/bluetooth.h>
#include <zephyr/init.h>
#include <zephyr/kernel.h>
#include <zephyr/sys/byteorder.h>
#include <zephyr/sys/util.h>

#include <wisp/wisp.h>

#include "app/deadline.h"
#include "app/grants.h"
#include "border/errno.h"
#include "border/shim.h"
#include "drivers/ble.h"

/* A structure has two bytes or more. */
#define STRUCTURES (WISP_BLE_MAX_DATA / 2)
/* Bluetooth counts intervals in units of 0.625 ms. None is shorter than it was asked to be. */
#define UNITS(ms)  DIV_ROUND_UP((ms) * 8, 5)

BUILD_ASSERT(CONFIG_WISP_BLE_SCAN_WINDOW <= CONFIG_WISP_BLE_SCAN_INTERVAL,
	     "CONFIG_WISP_BLE_SCAN_WINDOW is longer than CONFIG_WISP_BLE_SCAN_INTERVAL");

static K_THREAD_STACK_DEFINE(stack, CONFIG_WISP_BLE_STACK_SIZE);
static struct k_work_q queue;

/* These belong to the thread of the work queue: who advertises, as what, and how many scan. */
static const struct wisp_ble *advertiser;
static struct wisp_ble_announcement announced;
static bool connectable;
static uint32_t scanners;

static struct wisp_ble *ble_of(const struct wisp_app *app)
{
	return app->grants == NULL ? NULL : app->grants->ble;
}

const char *wisp_shim_ble_entry(const struct wisp_app *app, uint32_t list, uint32_t index)
{
	const struct wisp_ble *ble = ble_of(app);

	if (ble == NULL) {
		return NULL;
	}
	switch (list) {
	case WISP_BLE_LIST_ADVERTISE:
		return index < ble->advertise_count ? ble->advertise[index] : NULL;
	case WISP_BLE_LIST_SCAN:
		return index < ble->scan_count ? ble->scan[index] : NULL;
	default:
#ifdef CONFIG_WISP_BLE_GATT
		return (index == 0 && ble->gatt != NULL) ? ble->gatt->text : NULL;
#else
		return NULL;
#endif
	}
}

#ifdef CONFIG_WISP_BLE_GATT

const struct wisp_ble *wisp_ble_connectable(void)
{
	return connectable ? advertiser : NULL;
}

static bool serves(const struct wisp_ble *ble)
{
	return ble->gatt != NULL && ble->gatt->serves;
}

#else

/* Without GATT, nothing of it is called. */
static bool serves(const struct wisp_ble *ble)
{
	ARG_UNUSED(ble);
	return false;
}

static int wisp_gatt_serve(struct wisp_ble *ble)
{
	ARG_UNUSED(ble);
	return -ENOTSUP;
}

static int wisp_gatt_stop(struct wisp_ble *ble)
{
	ARG_UNUSED(ble);
	return 0;
}

static int wisp_gatt_notify(struct wisp_ble *ble)
{
	ARG_UNUSED(ble);
	return -ENOTSUP;
}

static void wisp_gatt_raise_event(struct wisp_ble *ble)
{
	ARG_UNUSED(ble);
}

static bool wisp_gatt_has_client(void)
{
	return false;
}

#endif /* CONFIG_WISP_BLE_GATT */

uint32_t wisp_shim_ble_min_interval(const struct wisp_app *app)
{
	const struct wisp_ble *ble = ble_of(app);

	return ble == NULL ? 0 : ble->min_interval_ms;
}

#ifdef CONFIG_WISP_EVENT

static void raise_event(struct wisp_ble *ble)
{
	bool due = false;

	K_SPINLOCK(&ble->lock) {
		due = ble->watched && !ble->told && ble->count > 0;
		if (due) {
			/* If the queue of events is full, the next report tries again. */
			ble->told = wisp_events_add(ble->events, WISP_EVENT_BLE, 0, 0);
		}
	}
	if (due) {
		wisp_events_announce(ble->events);
	}
}

static void drop_event(struct wisp_ble *ble, uint8_t source)
{
	wisp_events_drop(ble->events, WISP_EVENT_BLE, source);
}

#else

static void raise_event(struct wisp_ble *ble)
{
	ARG_UNUSED(ble);
}

static void drop_event(struct wisp_ble *ble, uint8_t source)
{
	ARG_UNUSED(ble);
	ARG_UNUSED(source);
}

#endif /* CONFIG_WISP_EVENT */

uint32_t wisp_shim_ble_watch(const struct wisp_app *app, bool on)
{
	struct wisp_ble *ble = ble_of(app);

	if (!IS_ENABLED(CONFIG_WISP_EVENT)) {
		return WISP_ENOTSUP;
	}
	if (ble == NULL) {
		return WISP_EACCES;
	}
	K_SPINLOCK(&ble->lock) {
		ble->watched = on;
		/* With the lock, so that an event of a report that comes now is not dropped. */
		ble->told = false;
		drop_event(ble, 0);
#ifdef CONFIG_WISP_BLE_GATT
		if (ble->gatt != NULL) {
			ble->gatt->told = false;
			drop_event(ble, 1);
		}
#endif
	}
	raise_event(ble);
	wisp_gatt_raise_event(ble);
	return 0;
}

static struct wisp_ble_report *place(struct wisp_ble *ble, uint32_t index)
{
	return &ble->queue[(ble->first + index) % CONFIG_WISP_BLE_QUEUE];
}

static bool is_same(const struct wisp_ble_report *a, const struct wisp_ble_report *b)
{
	return a->address == b->address && a->flags == b->flags && a->length == b->length &&
	       memcmp(a->data, b->data, a->length) == 0;
}

static void put(struct wisp_ble *ble, const struct wisp_ble_report *report)
{
	bool taken = false;

	K_SPINLOCK(&ble->lock) {
		uint32_t i = 0;

		if (!ble->scanning) {
			K_SPINLOCK_BREAK;
		}
		while (i < ble->count && !is_same(place(ble, i), report)) {
			i++;
		}
		if (i == CONFIG_WISP_BLE_QUEUE) {
			ble->lost += (ble->lost < UINT32_MAX);
			K_SPINLOCK_BREAK;
		}
		*place(ble, i) = *report;
		ble->count += (i == ble->count);
		taken = true;
	}
	if (taken) {
		raise_event(ble);
		(void)k_poll_signal_raise(&ble->changed, 0);
	}
}

/* Called by the Bluetooth host in a thread of its own. */
static void received(const struct bt_le_scan_recv_info *info, struct net_buf_simple *buf)
{
	struct wisp_ble_report report = {
		.time_us = wisp_shim_uptime_us(),
		.address = sys_get_le48(info->addr->a.val),
		.length = (uint8_t)buf->len,
		.rssi = info->rssi,
	};

	/* With extended advertising, which the firmware may have, data can be longer. */
	if (buf->len > WISP_BLE_MAX_DATA) {
		return;
	}
	memcpy(report.data, buf->data, buf->len);
	report.flags =
		(info->addr->type != BT_ADDR_LE_PUBLIC ? WISP_BLE_FLAG_RANDOM : 0) |
		((info->adv_props & BT_GAP_ADV_PROP_CONNECTABLE) ? WISP_BLE_FLAG_CONNECTABLE : 0) |
		((info->adv_props & BT_GAP_ADV_PROP_SCAN_RESPONSE) ? WISP_BLE_FLAG_RESPONSE : 0);
	STRUCT_SECTION_FOREACH(wisp_app, app) {
		struct wisp_ble *ble = ble_of(app);

		if (ble != NULL && ble->scanning &&
		    wisp_rust_ble_may_hear(app, report.data, report.length)) {
			put(ble, &report);
		}
	}
}

static struct bt_le_scan_cb listener = {.recv = received};

/* Enables Bluetooth, unless that was done. */
static int enable(void)
{
	int ret = bt_is_ready() ? 0 : bt_enable(NULL);

	if (ret != 0 && ret != -EALREADY) {
		return -ENODEV;
	}
	if (IS_ENABLED(CONFIG_BT_OBSERVER)) {
		/* Again, it is refused without harm. */
		(void)bt_le_scan_cb_register(&listener);
	}
	return 0;
}

/* Splits bytes that rust/host has checked into their structures, and returns their number. */
static size_t split(const uint8_t *bytes, size_t length, struct bt_data *structures)
{
	size_t count = 0;

	for (size_t at = 0; at + 1 < length && count < STRUCTURES; at += 1 + bytes[at]) {
		structures[count++] = (struct bt_data){
			.type = bytes[at + 1],
			.data_len = bytes[at] - 1,
			.data = &bytes[at + 2],
		};
	}
	return count;
}

static int stop_advertising(const struct wisp_ble *ble)
{
	if (!IS_ENABLED(CONFIG_BT_BROADCASTER) || advertiser != ble) {
		return 0;
	}
	advertiser = NULL;
	return bt_le_adv_stop();
}

/* Starts advertising what is announced, or replaces the data of what is advertised in this way. */
static int announce(bool update)
{
	static struct bt_data data[STRUCTURES];
	static struct bt_data response[STRUCTURES];
	size_t count = split(announced.data, announced.length, data);
	size_t response_count = split(announced.response, announced.response_length, response);
	const struct bt_le_adv_param how = {
		.id = BT_ID_DEFAULT,
		.options = BT_LE_ADV_OPT_USE_IDENTITY | (connectable ? BT_LE_ADV_OPT_CONN : 0),
		.interval_min = UNITS(announced.interval_ms),
		.interval_max = UNITS(announced.interval_ms),
	};

	if (update) {
		return bt_le_adv_update_data(data, count, response, response_count);
	}
	return bt_le_adv_start(&how, data, count, response_count > 0 ? response : NULL,
			       response_count);
}

static int advertise(struct wisp_ble *ble)
{
	struct wisp_ble_announcement next;
	bool same_way;
	int ret;

	if (!IS_ENABLED(CONFIG_BT_BROADCASTER)) {
		return -ENOTSUP;
	}
	if (advertiser != NULL && advertiser != ble) {
		return -EBUSY;
	}
	K_SPINLOCK(&ble->lock) {
		next = ble->announcement;
	}
	same_way = advertiser == ble && announced.interval_ms == next.interval_ms &&
		   (announced.response_length == 0) == (next.response_length == 0) &&
		   connectable == serves(ble);
	/* One client at a time. What is advertised goes on when it has left. */
	if (!same_way && serves(ble) && wisp_gatt_has_client()) {
		return -EBUSY;
	}
	if (!same_way) {
		(void)stop_advertising(ble);
	}
	announced = next;
	connectable = serves(ble);
	if (same_way) {
		ret = announce(true);
		/* While a client is connected, it does not advertise, and then with the new data.
		 */
		return (ret == -EAGAIN && connectable) ? 0 : ret;
	}
	ret = enable();
	if (ret != 0) {
		return ret;
	}
	/* A client may connect before the host returns. */
	advertiser = ble;
	ret = announce(false);
	if (ret != 0) {
		advertiser = NULL;
	}
	/* The firmware advertises, or the host has no room for a client beside one that is there.
	 */
	return (ret == -EALREADY || ret == -ENOMEM) ? -EBUSY : ret;
}

static void forget_reports(struct wisp_ble *ble, bool scanning)
{
	K_SPINLOCK(&ble->lock) {
		ble->scanning = scanning;
		ble->first = 0;
		ble->count = 0;
		ble->lost = 0;
		ble->told = false;
		drop_event(ble, 0);
	}
}

static int stop_scanning(struct wisp_ble *ble)
{
	bool scanned = ble->scanning;

	forget_reports(ble, false);
	if (!IS_ENABLED(CONFIG_BT_OBSERVER) || !scanned || --scanners > 0) {
		return 0;
	}
	return bt_le_scan_stop();
}

static int scan(struct wisp_ble *ble)
{
	const struct bt_le_scan_param how = {
		.type = IS_ENABLED(CONFIG_WISP_BLE_SCAN_ACTIVE) ? BT_LE_SCAN_TYPE_ACTIVE
								: BT_LE_SCAN_TYPE_PASSIVE,
		.interval = UNITS(CONFIG_WISP_BLE_SCAN_INTERVAL),
		.window = UNITS(CONFIG_WISP_BLE_SCAN_WINDOW),
	};
	int ret;

	if (!IS_ENABLED(CONFIG_BT_OBSERVER)) {
		return -ENOTSUP;
	}
	if (!ble->scanning) {
		ret = enable();
		if (ret == 0 && scanners == 0) {
			ret = bt_le_scan_start(&how, NULL);
		}
		if (ret != 0) {
			/* The firmware scans. */
			return ret == -EALREADY ? -EBUSY : ret;
		}
		scanners++;
	}
	forget_reports(ble, true);
	return 0;
}

static int perform(struct wisp_ble *ble, enum wisp_ble_task task)
{
	int ret;

	switch (task) {
	case WISP_BLE_ADVERTISE:
		return advertise(ble);
	case WISP_BLE_STOP_ADVERTISING:
		return stop_advertising(ble);
	case WISP_BLE_SCAN:
		return scan(ble);
	case WISP_BLE_STOP_SCANNING:
		return stop_scanning(ble);
	case WISP_BLE_SERVE:
		ret = enable();
		return ret != 0 ? ret : wisp_gatt_serve(ble);
	case WISP_BLE_STOP_SERVING:
		return wisp_gatt_stop(ble);
	case WISP_BLE_NOTIFY:
		return wisp_gatt_notify(ble);
	case WISP_BLE_RELEASE:
		(void)stop_advertising(ble);
		(void)wisp_gatt_stop(ble);
		return stop_scanning(ble);
	default:
		return 0;
	}
}

void wisp_ble_work(struct k_work *work)
{
	struct wisp_ble *ble = CONTAINER_OF(work, struct wisp_ble, work);
	enum wisp_ble_task task;
	int ret;

	K_SPINLOCK(&ble->lock) {
		task = ble->task;
	}
	if (task == WISP_BLE_NOTHING) {
		/* An earlier call performed it. Its error is what the app reads. */
		return;
	}
	ret = perform(ble, task);
	K_SPINLOCK(&ble->lock) {
		/* Otherwise the app ended meanwhile, and the work comes again. */
		if (ble->task == task) {
			ble->task = WISP_BLE_NOTHING;
			ble->error = (ret == -EAGAIN) ? WISP_ENODEV : wisp_driver_error(ret);
		}
	}
	(void)k_poll_signal_raise(&ble->changed, 0);
}

#ifdef CONFIG_WISP_BLE_GATT

static void resume(struct k_work *work)
{
	ARG_UNUSED(work);
	/* The host stopped advertising when the client came. */
	if (advertiser != NULL && connectable && !wisp_gatt_has_client()) {
		(void)announce(false);
	}
}

void wisp_ble_resume(void)
{
	static K_WORK_DEFINE(work, resume);

	(void)k_work_submit_to_queue(&queue, &work);
}

#endif /* CONFIG_WISP_BLE_GATT */

static int start(void)
{
	static const struct k_work_queue_config config = {.name = "wisp_ble"};

	k_work_queue_start(&queue, stack, K_THREAD_STACK_SIZEOF(stack), CONFIG_WISP_BLE_PRIORITY,
			   &config);
	return 0;
}
SYS_INIT(start, POST_KERNEL, CONFIG_KERNEL_INIT_PRIORITY_DEFAULT);

bool wisp_ble_is_done(const struct wisp_app *app, struct wisp_ble *ble)
{
	while (!app->data->stopping) {
		/* Reset before the look, so that a later end raises it again. */
		k_poll_signal_reset(&ble->changed);
		if (*(volatile uint8_t *)&ble->task == WISP_BLE_NOTHING) {
			return true;
		}
		wisp_app_wait(app, &ble->changed, UINT64_MAX);
	}
	return false;
}

static void give(struct wisp_ble *ble, enum wisp_ble_task task)
{
	K_SPINLOCK(&ble->lock) {
		ble->task = task;
	}
	(void)k_work_submit_to_queue(&queue, &ble->work);
}

uint32_t wisp_ble_ask(const struct wisp_app *app, struct wisp_ble *ble, enum wisp_ble_task task,
		      uint32_t *error)
{
	give(ble, task);
	if (!wisp_ble_is_done(app, ble)) {
		return WISP_WAIT_STOP;
	}
	*error = ble->error;
	return WISP_WAIT_EVENT;
}

uint32_t wisp_shim_ble_advertise(const struct wisp_app *app, const uint8_t *data, size_t length,
				 const uint8_t *response, size_t response_length,
				 uint32_t interval_ms, uint32_t *error)
{
	struct wisp_ble *ble = ble_of(app);

	*error = WISP_EACCES;
	if (ble == NULL || length > WISP_BLE_MAX_DATA || response_length > WISP_BLE_MAX_DATA) {
		return WISP_WAIT_EVENT;
	}
	/* The last run of the app may not be released yet. */
	if (!wisp_ble_is_done(app, ble)) {
		return WISP_WAIT_STOP;
	}
	K_SPINLOCK(&ble->lock) {
		ble->announcement.interval_ms = (uint16_t)interval_ms;
		ble->announcement.length = (uint8_t)length;
		ble->announcement.response_length = (uint8_t)response_length;
		memcpy(ble->announcement.data, data, length);
		memcpy(ble->announcement.response, response, response_length);
	}
	return wisp_ble_ask(app, ble, WISP_BLE_ADVERTISE, error);
}

static uint32_t ask_when_done(const struct wisp_app *app, enum wisp_ble_task task, uint32_t *error)
{
	struct wisp_ble *ble = ble_of(app);

	*error = 0;
	if (ble == NULL) {
		return WISP_WAIT_EVENT;
	}
	return wisp_ble_is_done(app, ble) ? wisp_ble_ask(app, ble, task, error) : WISP_WAIT_STOP;
}

uint32_t wisp_shim_ble_stop_advertising(const struct wisp_app *app, uint32_t *error)
{
	return ask_when_done(app, WISP_BLE_STOP_ADVERTISING, error);
}

uint32_t wisp_shim_ble_scan(const struct wisp_app *app, bool on, uint32_t *error)
{
	return ask_when_done(app, on ? WISP_BLE_SCAN : WISP_BLE_STOP_SCANNING, error);
}

static bool take(struct wisp_ble *ble, struct wisp_ble_report *report)
{
	bool taken = false;

	K_SPINLOCK(&ble->lock) {
		if (ble->count == 0) {
			K_SPINLOCK_BREAK;
		}
		*report = *place(ble, 0);
		report->lost = ble->lost;
		ble->lost = 0;
		ble->first = (ble->first + 1) % CONFIG_WISP_BLE_QUEUE;
		ble->count--;
		ble->told = ble->told && ble->count > 0;
		taken = true;
	}
	return taken;
}

uint32_t wisp_shim_ble_receive(const struct wisp_app *app, uint64_t until_us,
			       struct wisp_ble_report *report)
{
	struct wisp_ble *ble = ble_of(app);

	/* What is left of the last run is not for this one. */
	if (ble != NULL && !wisp_ble_is_done(app, ble)) {
		return WISP_WAIT_STOP;
	}
	while (!app->data->stopping) {
		uint64_t now = wisp_shim_uptime_us();

		if (ble != NULL) {
			/* Reset before the look, so that a later report raises it again. */
			k_poll_signal_reset(&ble->changed);
			if (take(ble, report)) {
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

void wisp_shim_ble_release(const struct wisp_app *app)
{
	struct wisp_ble *ble = ble_of(app);

	if (ble == NULL) {
		return;
	}
	(void)wisp_shim_ble_watch(app, false);
	give(ble, WISP_BLE_RELEASE);
}
