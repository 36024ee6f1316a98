/* SPDX-License-Identifier: Apache-2.0 */

/* Turns the children of wisp,apps nodes into apps with their RAM and grant tables. */

#define DT_DRV_COMPAT wisp_apps

#include <zephyr/devicetree.h>
#include <zephyr/sys/util.h>

#include <wisp/wisp.h>

#include "app/grants.h"
#ifdef CONFIG_WISP_MSG
#include <wisp/channel.h>
#endif
#ifdef CONFIG_WISP_BLE
#include "drivers/ble.h"
#endif
#include "drivers/event.h"
#ifdef CONFIG_WISP_NET
#include "drivers/net.h"
#endif
#include "drivers/uart.h"

/* The macros that generate tables from devicetree nodes are formatted by hand. */
/* clang-format off */

#define TABLE(node_id, kind) _CONCAT(wisp_##kind##_, DT_DEP_ORD(node_id))

/* The open pins of an app are bits of one word. */
#define MAX_PINS 32

#ifdef CONFIG_WISP_EVENT

#define DEFINE_EVENTS(node_id)                                                                     \
	static struct wisp_events TABLE(node_id, events) =                                         \
		WISP_EVENTS_INITIALIZER(TABLE(node_id, events));
#define USE_EVENTS(node_id) .events = &TABLE(node_id, events),

#define GPIO_WATCHES(node_id)                                                                      \
	static struct wisp_gpio_watch TABLE(node_id, watches)[DT_PROP_LEN(node_id, gpios)];
#define USE_WATCHES(node_id) .watches = TABLE(node_id, watches),

#else

#define DEFINE_EVENTS(node_id)
#define USE_EVENTS(node_id)
#define GPIO_WATCHES(node_id)
#define USE_WATCHES(node_id)

#endif /* CONFIG_WISP_EVENT */

#ifdef CONFIG_WISP_GPIO

#define GPIO_GRANT(node_id, prop, idx)                                                             \
	{                                                                                          \
		.name = DT_PROP_BY_IDX(node_id, gpio_names, idx),                                  \
		.pin = GPIO_DT_SPEC_GET_BY_IDX(node_id, prop, idx),                                \
	},

#define GPIO_GRANTS(node_id)                                                                       \
	BUILD_ASSERT(DT_PROP_LEN(node_id, gpios) == DT_PROP_LEN_OR(node_id, gpio_names, 0),        \
		     "wisp,apps: " DT_NODE_PATH(node_id) " needs a gpio-names entry for each "     \
						 "of its gpios");                                  \
	BUILD_ASSERT(DT_PROP_LEN(node_id, gpios) <= MAX_PINS,                                      \
		     "wisp,apps: " DT_NODE_PATH(node_id) " has more than 32 gpios");               \
	static const struct wisp_gpio_grant TABLE(node_id, gpios)[] = {                            \
		DT_FOREACH_PROP_ELEM(node_id, gpios, GPIO_GRANT)};                                 \
	static uint32_t TABLE(node_id, gpios_open);                                                \
	GPIO_WATCHES(node_id)

#define GPIO_TABLE(node_id)                                                                        \
	USE_WATCHES(node_id).gpios = TABLE(node_id, gpios),                                        \
	.gpios_open = &TABLE(node_id, gpios_open),                                                 \
	.gpio_count = ARRAY_SIZE(TABLE(node_id, gpios)),

#define DEFINE_GPIOS(node_id)                                                                      \
	COND_CODE_1(DT_NODE_HAS_PROP(node_id, gpios), (GPIO_GRANTS(node_id)), ())
#define USE_GPIOS(node_id)                                                                         \
	COND_CODE_1(DT_NODE_HAS_PROP(node_id, gpios), (GPIO_TABLE(node_id)), ())

#else

#define DEFINE_GPIOS(node_id)                                                                      \
	BUILD_ASSERT(!DT_NODE_HAS_PROP(node_id, gpios),                                            \
		     "wisp,apps: " DT_NODE_PATH(node_id) " grants gpios: enable CONFIG_WISP_GPIO");
#define USE_GPIOS(node_id)

#endif /* CONFIG_WISP_GPIO */

/*
 * The tables of the interfaces in app/grant_lists.h. The header of an interface has a macro
 * <table>_GRANT, which makes one entry, and <table>_STATE, which defines what the entries point to.
 */
#define LIST_GRANTS(node_id, prop, names, table)                                                   \
	BUILD_ASSERT(DT_PROP_LEN(node_id, prop) == DT_PROP_LEN_OR(node_id, names, 0),              \
		     "wisp,apps: " DT_NODE_PATH(node_id) " needs an entry in " #names              \
						 " for each in " #prop);                           \
	BUILD_ASSERT(DT_PROP_LEN(node_id, prop) <= MAX_PINS,                                       \
		     "wisp,apps: " DT_NODE_PATH(node_id) " has more than 32 " #prop);              \
	table##_STATE(node_id)                                                                     \
	static const struct wisp_##table##_grant TABLE(node_id, table)[] = {                       \
		DT_FOREACH_PROP_ELEM(node_id, prop, table##_GRANT)};

#define LIST_TABLE(node_id, table)                                                                 \
	.table = TABLE(node_id, table), .table##_count = ARRAY_SIZE(TABLE(node_id, table)),

#define LIST_REFUSE(node_id, prop, option)                                                         \
	BUILD_ASSERT(!DT_NODE_HAS_PROP(node_id, prop),                                             \
		     "wisp,apps: " DT_NODE_PATH(node_id) " has " #prop ": enable " option);

#define LIST_DEFINE(table, option, prop, names, node_id)                                           \
	COND_CODE_1(option,                                                                        \
		    (COND_CODE_1(DT_NODE_HAS_PROP(node_id, prop),                                  \
				 (LIST_GRANTS(node_id, prop, names, table)), ())),                 \
		    (LIST_REFUSE(node_id, prop, #option)))
#define LIST_USE(table, option, prop, names, node_id)                                              \
	COND_CODE_1(UTIL_AND(IS_ENABLED(option), DT_NODE_HAS_PROP(node_id, prop)),                 \
		    (LIST_TABLE(node_id, table)), ())

#ifdef CONFIG_WISP_MSG
#define MSG_NAME(node_id, prop, idx, what)                                                         \
	_CONCAT(_CONCAT(_CONCAT(TABLE(node_id, prop), _), idx), what)
#define MSG_CHANNEL(node_id, prop, idx) DT_PHANDLE_BY_IDX(node_id, prop, idx)
#define MSG_BYTES(channel)              (DT_PROP(channel, message_size) * DT_PROP(channel, queue_length))
#define MSG_END(node_id, prop, idx)                                                                \
	static struct wisp_msg_end MSG_NAME(node_id, prop, idx, _end);
#define MSG_QUEUE(node_id, prop, idx)                                                              \
	static uint8_t MSG_NAME(node_id, prop, idx, _queue)[MSG_BYTES(                             \
		MSG_CHANNEL(node_id, prop, idx))];
#define MSG_GRANT(node_id, prop, idx, bytes)                                                       \
	{                                                                                          \
		.name = DT_NODE_FULL_NAME(MSG_CHANNEL(node_id, prop, idx)),                        \
		.channel = WISP_CHANNEL_DT_GET(MSG_CHANNEL(node_id, prop, idx)),                   \
		.end = &MSG_NAME(node_id, prop, idx, _end),                                        \
		.queue = bytes,                                                                    \
		.size = DT_PROP(MSG_CHANNEL(node_id, prop, idx), message_size),                    \
		.length = DT_PROP(MSG_CHANNEL(node_id, prop, idx), queue_length),                  \
	},
#define MSG_PUBLISH(node_id, prop, idx)   MSG_GRANT(node_id, prop, idx, NULL)
#define MSG_SUBSCRIBE(node_id, prop, idx)                                                          \
	MSG_GRANT(node_id, prop, idx, MSG_NAME(node_id, prop, idx, _queue))
#define MSG_EACH(node_id, prop, macro)                                                             \
	COND_CODE_1(DT_NODE_HAS_PROP(node_id, prop), (DT_FOREACH_PROP_ELEM(node_id, prop, macro)), ())
#define HAS_MSG(node_id)                                                                           \
	UTIL_OR(DT_NODE_HAS_PROP(node_id, publishes), DT_NODE_HAS_PROP(node_id, subscribes))
#define MSG_GRANTS(node_id)                                                                        \
	MSG_EACH(node_id, publishes, MSG_END)                                                      \
	MSG_EACH(node_id, subscribes, MSG_END)                                                     \
	MSG_EACH(node_id, subscribes, MSG_QUEUE)                                                   \
	static const struct wisp_msg_grant TABLE(node_id, msg)[] = {                               \
		MSG_EACH(node_id, publishes, MSG_PUBLISH)                                          \
			MSG_EACH(node_id, subscribes, MSG_SUBSCRIBE)};                             \
	BUILD_ASSERT(ARRAY_SIZE(TABLE(node_id, msg)) <= MAX_PINS,                                  \
		     "wisp,apps: " DT_NODE_PATH(node_id) " has more than 32 channels");
#define DEFINE_MSG(node_id) COND_CODE_1(HAS_MSG(node_id), (MSG_GRANTS(node_id)), ())
#define USE_MSG(node_id)    COND_CODE_1(HAS_MSG(node_id), (LIST_TABLE(node_id, msg)), ())
#else
#define DEFINE_MSG(node_id)                                                                        \
	LIST_REFUSE(node_id, publishes, "CONFIG_WISP_MSG")                                           \
	LIST_REFUSE(node_id, subscribes, "CONFIG_WISP_MSG")
#define USE_MSG(node_id)
#endif

#define STRING(node_id, prop, idx) DT_PROP_BY_IDX(node_id, prop, idx),
#define STRINGS(node_id, prop)                                                                     \
	static const char *const TABLE(node_id, prop)[] = {                                        \
		DT_FOREACH_PROP_ELEM(node_id, prop, STRING)};                                      \
	BUILD_ASSERT(ARRAY_SIZE(TABLE(node_id, prop)) <= UINT8_MAX,                                \
		     "wisp,apps: " DT_NODE_PATH(node_id) " has more than 255 strings in a list");
#define DEFINE_STRINGS(node_id, prop)                                                              \
	COND_CODE_1(DT_NODE_HAS_PROP(node_id, prop), (STRINGS(node_id, prop)), ())
#define USE_STRINGS(node_id, prop, count)                                                          \
	COND_CODE_1(DT_NODE_HAS_PROP(node_id, prop),                                               \
		    (.prop = TABLE(node_id, prop), .count = ARRAY_SIZE(TABLE(node_id, prop)),), ())

#ifdef CONFIG_WISP_RECORD
#define DEFINE_RECORD(node_id) DEFINE_STRINGS(node_id, record_interfaces)
#define USE_RECORD(node_id)    USE_STRINGS(node_id, record_interfaces, record_count)
#else
#define DEFINE_RECORD(node_id)
#define USE_RECORD(node_id)
#endif

#ifdef CONFIG_WISP_NET
#define NET_SOCKETS(node_id) DT_PROP_OR(node_id, net_sockets, 2)
#define NET_QUEUE(node_id)   DT_PROP_OR(node_id, net_queue_size, 1536)
#define NETWORK(node_id)                                                                           \
	BUILD_ASSERT(DT_PROP_LEN(node_id, net_endpoints) <= MAX_PINS,                              \
		     "wisp,apps: " DT_NODE_PATH(node_id) " has more than 32 net-endpoints");       \
	BUILD_ASSERT(IN_RANGE(NET_SOCKETS(node_id), 1, 32),                                        \
		     "wisp,apps: " DT_NODE_PATH(node_id) " has net-sockets beyond 1 to 32");       \
	BUILD_ASSERT(IN_RANGE(NET_QUEUE(node_id), 64, 65536),                                      \
		     "wisp,apps: " DT_NODE_PATH(node_id) " has a net-queue-size beyond 64 to 65536"); \
	BUILD_ASSERT(NET_QUEUE(node_id) <= RING_BUFFER_MAX_SIZE,                                   \
		     "wisp,apps: " DT_NODE_PATH(node_id) " has a net-queue-size beyond 32767: "    \
						 "set CONFIG_RING_BUFFER_LARGE");                  \
	BUILD_ASSERT(DT_PROP_OR(node_id, stack_size, CONFIG_WISP_STACK_SIZE) >= 4096,              \
		     "wisp,apps: " DT_NODE_PATH(node_id) " has net-endpoints: its stack-size "     \
						 "must be 4096 or more");                          \
	static const char *const TABLE(node_id, net_endpoints)[] = {                               \
		DT_FOREACH_PROP_ELEM(node_id, net_endpoints, STRING)};                             \
	static uint8_t TABLE(node_id, net_resolved)[DT_PROP_LEN(node_id, net_endpoints)][17];      \
	static struct wisp_net_socket TABLE(node_id, net_slots)[NET_SOCKETS(node_id)];             \
	static uint8_t TABLE(node_id, net_queues)[NET_SOCKETS(node_id) * NET_QUEUE(node_id)];      \
	static struct wisp_net TABLE(node_id, net) = {                                             \
		.endpoints = TABLE(node_id, net_endpoints),                                        \
		.resolved = TABLE(node_id, net_resolved),                                          \
		.sockets = TABLE(node_id, net_slots),                                              \
		.queues = TABLE(node_id, net_queues),                                              \
		.queue_size = NET_QUEUE(node_id),                                                  \
		.bytes_per_hour = DT_PROP_OR(node_id, net_bytes_per_hour, 0),                      \
		.endpoint_count = DT_PROP_LEN(node_id, net_endpoints),                             \
		.socket_count = NET_SOCKETS(node_id),                                              \
		WISP_NET_INITIALIZER(TABLE(node_id, net)),                                         \
	};
#define DEFINE_NET(node_id)                                                                        \
	COND_CODE_1(DT_NODE_HAS_PROP(node_id, net_endpoints), (NETWORK(node_id)), ())
#define USE_NET(node_id)                                                                           \
	COND_CODE_1(DT_NODE_HAS_PROP(node_id, net_endpoints), (.net = &TABLE(node_id, net),), ())
#else
#define DEFINE_NET(node_id) LIST_REFUSE(node_id, net_endpoints, "CONFIG_WISP_NET")
#define USE_NET(node_id)
#endif

#ifdef CONFIG_WISP_BLE
#define BLE_INTERVAL(node_id) DT_PROP_OR(node_id, ble_min_interval_ms, 100)
#define HAS_BLE(node_id)                                                                           \
	UTIL_OR(UTIL_OR(DT_NODE_HAS_PROP(node_id, ble_advertise),                                  \
			DT_NODE_HAS_PROP(node_id, ble_scan)),                                      \
		DT_NODE_HAS_PROP(node_id, ble_service))
#ifdef CONFIG_WISP_EVENT
#define BLE_EVENTS(node_id) .events = &TABLE(node_id, events),
#else
#define BLE_EVENTS(node_id)
#endif
#define BLE_LIST(node_id, prop, list, count)                                                       \
	COND_CODE_1(DT_NODE_HAS_PROP(node_id, prop),                                               \
		    (.list = TABLE(node_id, prop), .count = ARRAY_SIZE(TABLE(node_id, prop)),), ())
#ifdef CONFIG_WISP_BLE_GATT
#define DEFINE_GATT(node_id)                                                                       \
	COND_CODE_1(DT_NODE_HAS_PROP(node_id, ble_service),                                        \
		    (static struct wisp_gatt TABLE(node_id, gatt) = {                              \
			    .text = DT_PROP(node_id, ble_service)};), ())
#define USE_GATT(node_id)                                                                          \
	COND_CODE_1(DT_NODE_HAS_PROP(node_id, ble_service), (.gatt = &TABLE(node_id, gatt),), ())
#else
#define DEFINE_GATT(node_id) LIST_REFUSE(node_id, ble_service, "CONFIG_WISP_BLE_GATT")
#define USE_GATT(node_id)
#endif
#define BLE(node_id)                                                                               \
	BUILD_ASSERT(IN_RANGE(BLE_INTERVAL(node_id), 20, 10240),                                   \
		     "wisp,apps: " DT_NODE_PATH(node_id) " has a ble-min-interval-ms beyond 20 to 10240"); \
	DEFINE_STRINGS(node_id, ble_advertise)                                                     \
	DEFINE_STRINGS(node_id, ble_scan)                                                          \
	DEFINE_GATT(node_id)                                                                       \
	static struct wisp_ble TABLE(node_id, ble) = {                                             \
		BLE_LIST(node_id, ble_advertise, advertise, advertise_count)                       \
		BLE_LIST(node_id, ble_scan, scan, scan_count)                                      \
		BLE_EVENTS(node_id)                                                                \
		USE_GATT(node_id)                                                                  \
		.min_interval_ms = BLE_INTERVAL(node_id),                                          \
		WISP_BLE_INITIALIZER(TABLE(node_id, ble)),                                         \
	};
#define DEFINE_BLE(node_id) COND_CODE_1(HAS_BLE(node_id), (BLE(node_id)), ())
#define USE_BLE(node_id)    COND_CODE_1(HAS_BLE(node_id), (.ble = &TABLE(node_id, ble),), ())
#else
#define DEFINE_BLE(node_id)                                                                        \
	LIST_REFUSE(node_id, ble_advertise, "CONFIG_WISP_BLE")                                     \
	LIST_REFUSE(node_id, ble_scan, "CONFIG_WISP_BLE")                                          \
	LIST_REFUSE(node_id, ble_service, "CONFIG_WISP_BLE")
#define USE_BLE(node_id)
#endif

#ifdef CONFIG_WISP_HEARTBEAT
#define DEFINE_HEARTBEAT(node_id)
#else
#define DEFINE_HEARTBEAT(node_id) LIST_REFUSE(node_id, heartbeat_ms, "CONFIG_WISP_HEARTBEAT")
#endif

#ifdef CONFIG_WISP_DEADLINE
#define DEFINE_DEADLINE(node_id)
#else
#define DEFINE_DEADLINE(node_id) LIST_REFUSE(node_id, max_run_ms, "CONFIG_WISP_DEADLINE")
#endif

#ifdef CONFIG_WISP_HWINFO
#define DEFINE_HWINFO(node_id)
#define USE_HWINFO(node_id)                                                                        \
	.hwinfo_device_id = DT_PROP(node_id, hwinfo_device_id),                                    \
	.hwinfo_reset_cause = DT_PROP(node_id, hwinfo_reset_cause),
#else
#define DEFINE_HWINFO(node_id)                                                                     \
	BUILD_ASSERT(!DT_PROP(node_id, hwinfo_device_id) &&                                        \
			     !DT_PROP(node_id, hwinfo_reset_cause),                                \
		     "wisp,apps: " DT_NODE_PATH(node_id) " has hwinfo: enable CONFIG_WISP_HWINFO");
#define USE_HWINFO(node_id)
#endif

#ifdef CONFIG_WISP_KV
#define DEFINE_KV(node_id)
#define USE_KV(node_id)                                                                            \
	.kv_size = DT_PROP_OR(node_id, kv_size, 0),                                                \
	.kv_erases = DT_PROP_OR(node_id, kv_erases_per_hour, CONFIG_WISP_KV_ERASES_PER_HOUR),
#else
#define DEFINE_KV(node_id) LIST_REFUSE(node_id, kv_size, "CONFIG_WISP_KV")
#define USE_KV(node_id)
#endif

#ifdef CONFIG_WISP_FS
/* Folders are the node's children. */
#define FOLDER_CHECK(folder)                                                                       \
	BUILD_ASSERT(DT_PROP(folder, read_only) || DT_PROP_OR(folder, quota, 0) > 0,               \
		     "wisp,apps: " DT_NODE_PATH(folder) " needs a quota, or read-only");           \
	BUILD_ASSERT(sizeof(DT_PROP(folder, path)) <= WISP_FS_PATH / 2,                            \
		     "wisp,apps: the path of " DT_NODE_PATH(folder) " has more than 63 bytes");
#define FOLDER_INIT(folder)                                                                        \
	{                                                                                          \
		.name = DT_PROP(folder, guest_path),                                               \
		.path = DT_PROP(folder, path),                                                     \
		.quota = DT_PROP_OR(folder, quota, 0),                                             \
		.read_only = DT_PROP(folder, read_only),                                           \
	},
#define IF_OKAY(folder, macro)                                                                     \
	COND_CODE_1(DT_NODE_HAS_STATUS(folder, okay), (macro(folder)), ())
#define FOLDER_CHECKED(folder) IF_OKAY(folder, FOLDER_CHECK)
#define FOLDER_GRANT(folder)   IF_OKAY(folder, FOLDER_INIT)
#define OPEN_FILES(node_id)    DT_PROP_OR(node_id, max_open_files, CONFIG_WISP_FS_OPEN_FILES)
#define FOLDER_COUNT(node_id)  DT_CHILD_NUM_STATUS_OKAY(node_id)
#define FOLDERS(node_id)                                                                           \
	DT_FOREACH_CHILD(node_id, FOLDER_CHECKED)                                                  \
	BUILD_ASSERT(FOLDER_COUNT(node_id) <= MAX_PINS,                                            \
		     "wisp,apps: " DT_NODE_PATH(node_id) " has more than 32 folders");             \
	BUILD_ASSERT(DT_PROP_OR(node_id, stack_size, CONFIG_WISP_STACK_SIZE) >= 4096,              \
		     "wisp,apps: " DT_NODE_PATH(node_id) " has folders: its stack-size "           \
						 "must be 4096 or more");                          \
	BUILD_ASSERT(IN_RANGE(OPEN_FILES(node_id), 1, 64),                                         \
		     "wisp,apps: " DT_NODE_PATH(node_id) " has a max-open-files beyond 1 to 64");  \
	static const struct wisp_folder_grant TABLE(node_id, folders)[] = {                        \
		DT_FOREACH_CHILD(node_id, FOLDER_GRANT)};                                          \
	static struct wisp_fs_folder TABLE(node_id, folder_states)[FOLDER_COUNT(node_id)];         \
	static struct wisp_fs_object TABLE(node_id, objects)[OPEN_FILES(node_id)];                 \
	static uint64_t TABLE(node_id, descriptors)[WISP_FS_DESCRIPTOR_WORDS *                     \
		(3 + FOLDER_COUNT(node_id) + OPEN_FILES(node_id))];                                \
	static struct wisp_fs TABLE(node_id, fs) = {                                               \
		.folders = TABLE(node_id, folder_states),                                          \
		.objects = TABLE(node_id, objects),                                                \
		.descriptors = TABLE(node_id, descriptors),                                        \
		.folder_count = FOLDER_COUNT(node_id),                                             \
		.object_count = OPEN_FILES(node_id),                                               \
	};
#define DEFINE_FS(node_id) COND_CODE_0(FOLDER_COUNT(node_id), (), (FOLDERS(node_id)))
#define USE_FS(node_id)                                                                            \
	COND_CODE_0(FOLDER_COUNT(node_id), (),                                                     \
		    (.folders = TABLE(node_id, folders), .fs = &TABLE(node_id, fs),))
#else
#define DEFINE_FS(node_id)                                                                         \
	BUILD_ASSERT(DT_CHILD_NUM_STATUS_OKAY(node_id) == 0,                                       \
		     "wisp,apps: " DT_NODE_PATH(node_id) " has folders: enable CONFIG_WISP_FS");
#define USE_FS(node_id)
#endif

/* The image of an app has its node's name, and room for 31 bytes of it. */
#define NAME_ROOM 32
/* The least that Kconfig takes for all apps. */
#define LEAST 256

#define DEFINE_APP(node_id)                                                                        \
	BUILD_ASSERT(sizeof(DT_NODE_FULL_NAME(node_id)) <= NAME_ROOM, \
		     "wisp,apps: " DT_NODE_PATH(node_id) " has a name of more than 31 bytes"); \
	BUILD_ASSERT(DT_PROP_OR(node_id, frame_size, LEAST) >= LEAST, \
		     "wisp,apps: " DT_NODE_PATH(node_id) " has a frame-size below 256"); \
	BUILD_ASSERT(DT_PROP_OR(node_id, instance_size, LEAST) >= LEAST, \
		     "wisp,apps: " DT_NODE_PATH(node_id) " has an instance-size below 256"); \
	BUILD_ASSERT(!DT_NODE_HAS_PROP(node_id, priority) || \
			     DT_PROP_OR(node_id, priority, 0) < CONFIG_NUM_PREEMPT_PRIORITIES, \
		     "wisp,apps: " DT_NODE_PATH(node_id) " has a priority that does not exist"); \
	BUILD_ASSERT(DT_PROP_OR(node_id, stack_size, CONFIG_WISP_STACK_SIZE) >= 1024, \
		     "wisp,apps: " DT_NODE_PATH(node_id) " has a stack-size below 1024"); \
	DEFINE_STRINGS(node_id, args)                                                              \
	DEFINE_STRINGS(node_id, env)                                                               \
	DEFINE_RECORD(node_id)                                                                     \
	DEFINE_EVENTS(node_id)                                                                     \
	DEFINE_GPIOS(node_id)                                                                      \
	WISP_GRANT_LISTS(LIST_DEFINE, node_id)                                                     \
	DEFINE_HWINFO(node_id)                                                                     \
	DEFINE_KV(node_id)                                                                         \
	DEFINE_NET(node_id)                                                                        \
	DEFINE_BLE(node_id)                                                                        \
	DEFINE_FS(node_id)                                                                         \
	DEFINE_MSG(node_id)                                                                        \
	DEFINE_HEARTBEAT(node_id)                                                                  \
	DEFINE_DEADLINE(node_id)                                                                   \
	static const struct wisp_grants TABLE(node_id, grants) = {                                 \
		USE_STRINGS(node_id, args, arg_count)                                              \
		USE_STRINGS(node_id, env, env_count)                                               \
		USE_RECORD(node_id)                                                                \
		USE_EVENTS(node_id)                                                                \
		USE_GPIOS(node_id)                                                                 \
		WISP_GRANT_LISTS(LIST_USE, node_id)                                                \
		USE_HWINFO(node_id)                                                                \
		USE_KV(node_id)                                                                    \
		USE_NET(node_id)                                                                   \
		USE_BLE(node_id)                                                                   \
		USE_FS(node_id)                                                                    \
		USE_MSG(node_id)                                                                   \
		.log_lines = DT_PROP_OR(node_id, log_lines, CONFIG_WISP_LOG_LINES),                \
	};                                                                                         \
	Z_WISP_APP_DEFINE(Z_WISP_APP_DT_NAME(node_id), DT_NODE_FULL_NAME(node_id),                 \
			  DT_PROP_OR(node_id, memory_size, CONFIG_WISP_MEMORY_SIZE),               \
			  DT_PROP_OR(node_id, frame_size, CONFIG_WISP_FRAME_SIZE),                 \
			  DT_PROP_OR(node_id, instance_size, CONFIG_WISP_INSTANCE_SIZE),           \
			  DT_PROP_OR(node_id, stack_size, CONFIG_WISP_STACK_SIZE),                 \
			  DT_PROP_OR(node_id, priority, CONFIG_WISP_PRIORITY),                     \
			  DT_PROP_OR(node_id, heartbeat_ms, 0),                                    \
			  &TABLE(node_id, grants), Z_WISP_LIMITS_DT(node_id));

#ifdef CONFIG_WISP_NET
#define ADD_SOCKETS(node_id)                                                                       \
	COND_CODE_1(DT_NODE_HAS_PROP(node_id, net_endpoints), (+ NET_SOCKETS(node_id)), ())
#define ADD_ALL_SOCKETS(inst) DT_FOREACH_CHILD_STATUS_OKAY(DT_DRV_INST(inst), ADD_SOCKETS)
#define ALL_SOCKETS           (0 DT_INST_FOREACH_STATUS_OKAY(ADD_ALL_SOCKETS))

/* Attempts that an app has given up keep a secure socket beside the app's sockets for a while. */
#ifdef CONFIG_WISP_NET_TLS
#define SECURE_SOCKETS CONFIG_NET_SOCKETS_TLS_MAX_CONTEXTS
#else
#define SECURE_SOCKETS 0
#endif
BUILD_ASSERT(ALL_SOCKETS + SECURE_SOCKETS <= CONFIG_NET_MAX_CONTEXTS,
	     "wisp,apps: the net-sockets of all apps, and with TLS as many as "
	     "CONFIG_NET_SOCKETS_TLS_MAX_CONTEXTS, are more than CONFIG_NET_MAX_CONTEXTS");
/* One descriptor wakes the thread of the network. A secure socket has two. */
#define MORE_DESCRIPTORS (1 + 2 * SECURE_SOCKETS)
BUILD_ASSERT(ALL_SOCKETS + MORE_DESCRIPTORS <= CONFIG_ZVFS_OPEN_ADD_SIZE_WISP,
	     "wisp,apps: the net-sockets of all apps, one more, and with TLS twice "
	     "CONFIG_NET_SOCKETS_TLS_MAX_CONTEXTS, are more than "
	     "CONFIG_ZVFS_OPEN_ADD_SIZE_WISP");
#endif

#define DEFINE_APPS(inst) DT_FOREACH_CHILD_STATUS_OKAY(DT_DRV_INST(inst), DEFINE_APP)

DT_INST_FOREACH_STATUS_OKAY(DEFINE_APPS)
