/* SPDX-License-Identifier: Apache-2.0 */

/* Grants of apps: tables in flash that are generated from devicetree nodes. */

#ifndef WISP_APP_GRANTS_H_
#define WISP_APP_GRANTS_H_

#include <stdbool.h>
#include <stdint.h>

#include <zephyr/drivers/gpio.h>
#include <zephyr/sys/util.h>

#include "app/grant_find.h"
#include "app/grant_lists.h"

#ifdef CONFIG_WISP_MSG
#include "drivers/msg.h"
#endif
#ifdef CONFIG_WISP_FS
#include "drivers/fs.h"
#endif

struct wisp_ble;
struct wisp_events;
struct wisp_net;

/* Converts edges of a pin to events. */
struct wisp_gpio_watch {
	struct gpio_callback callback;
	struct wisp_events *events;
	uint8_t pin;
	uint8_t edges;
};

struct wisp_gpio_grant {
	const char *name;
	struct gpio_dt_spec pin;
};

/*
 * A table of grants and their number. Every grant begins with its name, on which wisp_grant_find()
 * relies.
 */
#define WISP_GRANT_MEMBERS(_table, _option, _property, _names, ...)                                \
	IF_ENABLED(_option, (const struct wisp_##_table##_grant *_table; uint8_t _table##_count;))

struct wisp_grants {
	/* Arguments and environment, which the node also contains. */
	const char *const *args;
	const char *const *env;
	uint8_t arg_count;
	uint8_t env_count;
#ifdef CONFIG_WISP_RECORD
	/* Interfaces whose calls are recorded. */
	const char *const *record_interfaces;
	uint8_t record_count;
#endif
#ifdef CONFIG_WISP_EVENT
	struct wisp_events *events;
#endif
#ifdef CONFIG_WISP_GPIO
	const struct wisp_gpio_grant *gpios;
	/* Pins that the app has open, one bit for each. */
	uint32_t *gpios_open;
#ifdef CONFIG_WISP_EVENT
	/* One for each pin. */
	struct wisp_gpio_watch *watches;
#endif
	uint8_t gpio_count;
#endif
	WISP_GRANT_LISTS(WISP_GRANT_MEMBERS)
#ifdef CONFIG_WISP_MSG
	const struct wisp_msg_grant *msg;
	uint8_t msg_count;
#endif
#ifdef CONFIG_WISP_NET
	/* NULL without endpoints. */
	struct wisp_net *net;
#endif
#ifdef CONFIG_WISP_BLE
	/* NULL without a list. */
	struct wisp_ble *ble;
#endif
#ifdef CONFIG_WISP_FS
	const struct wisp_folder_grant *folders;
	/* NULL without folders. */
	struct wisp_fs *fs;
#endif
	/* Maximum log lines per second, 0 for no limit. */
	uint32_t log_lines;
#ifdef CONFIG_WISP_HWINFO
	/* What of the hardware the app may know. */
	bool hwinfo_device_id;
	bool hwinfo_reset_cause;
#endif
#ifdef CONFIG_WISP_KV
	/* Maximum bytes of stored values in flash. */
	uint32_t kv_size;
	/* Maximum flash erases per hour by stored values, 0 for no limit. */
	uint32_t kv_erases;
#endif
};

#endif /* WISP_APP_GRANTS_H_ */
