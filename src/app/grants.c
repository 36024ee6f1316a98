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
#include "drivers/event.h"
#include "drivers/uart.h"

/* Macros that make tables out of devicetree nodes are laid out by hand. */
/* clang-format off */

#define TABLE(node_id, kind) _CONCAT(wisp_##kind##_, DT_DEP_ORD(node_id))

/* A guest's pin handles are bits of one word. */
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
 * Tables of the other interfaces differ in property, type and what a grant is made of:
 * LIST_GRANTS(node, property, property of the names, table) with a macro <table>_GRANT.
 */
#define LIST_GRANTS(node_id, prop, names, table)                                                   \
	BUILD_ASSERT(DT_PROP_LEN(node_id, prop) == DT_PROP_LEN_OR(node_id, names, 0),              \
		     "wisp,apps: " DT_NODE_PATH(node_id) " needs an entry in " #names              \
						 " for each in " #prop);                           \
	BUILD_ASSERT(DT_PROP_LEN(node_id, prop) <= MAX_PINS,                                       \
		     "wisp,apps: " DT_NODE_PATH(node_id) " has more than 32 " #prop);              \
	static const struct wisp_##table##_grant TABLE(node_id, table)[] = {                       \
		DT_FOREACH_PROP_ELEM(node_id, prop, table##_GRANT)};

#define LIST_TABLE(node_id, table)                                                                 \
	.table = TABLE(node_id, table), .table##_count = ARRAY_SIZE(TABLE(node_id, table)),

#define LIST_DEFINE(node_id, prop, names, table)                                                   \
	COND_CODE_1(DT_NODE_HAS_PROP(node_id, prop), (LIST_GRANTS(node_id, prop, names, table)), ())
#define LIST_USE(node_id, prop, table)                                                             \
	COND_CODE_1(DT_NODE_HAS_PROP(node_id, prop), (LIST_TABLE(node_id, table)), ())
#define LIST_REFUSE(node_id, prop, option)                                                         \
	BUILD_ASSERT(!DT_NODE_HAS_PROP(node_id, prop),                                             \
		     "wisp,apps: " DT_NODE_PATH(node_id) " has " #prop ": enable " #option);

#ifdef CONFIG_WISP_I2C
#define i2c_GRANT(node_id, prop, idx) {                                                            \
	.name = DT_PROP_BY_IDX(node_id, i2c_names, idx),                                           \
	.spec = I2C_DT_SPEC_GET(DT_PHANDLE_BY_IDX(node_id, prop, idx)),                            \
},
#define DEFINE_I2C(node_id) LIST_DEFINE(node_id, i2c_devices, i2c_names, i2c)
#define USE_I2C(node_id)    LIST_USE(node_id, i2c_devices, i2c)
#else
#define DEFINE_I2C(node_id) LIST_REFUSE(node_id, i2c_devices, CONFIG_WISP_I2C)
#define USE_I2C(node_id)
#endif

#ifdef CONFIG_WISP_ADC
#define adc_GRANT(node_id, prop, idx) {                                                            \
	.name = DT_PROP_BY_IDX(node_id, io_channel_names, idx),                                    \
	.spec = ADC_DT_SPEC_GET_BY_IDX(node_id, idx),                                              \
},
#define DEFINE_ADC(node_id) LIST_DEFINE(node_id, io_channels, io_channel_names, adc)
#define USE_ADC(node_id)    LIST_USE(node_id, io_channels, adc)
#else
#define DEFINE_ADC(node_id) LIST_REFUSE(node_id, io_channels, CONFIG_WISP_ADC)
#define USE_ADC(node_id)
#endif

#ifdef CONFIG_WISP_PWM
#define pwm_GRANT(node_id, prop, idx) {                                                            \
	.name = DT_PROP_BY_IDX(node_id, pwm_names, idx),                                           \
	.spec = PWM_DT_SPEC_GET_BY_IDX(node_id, idx),                                              \
},
#define DEFINE_PWM(node_id) LIST_DEFINE(node_id, pwms, pwm_names, pwm)
#define USE_PWM(node_id)    LIST_USE(node_id, pwms, pwm)
#else
#define DEFINE_PWM(node_id) LIST_REFUSE(node_id, pwms, CONFIG_WISP_PWM)
#define USE_PWM(node_id)
#endif

#ifdef CONFIG_WISP_SPI
#define spi_GRANT(node_id, prop, idx) {                                                            \
	.name = DT_PROP_BY_IDX(node_id, spi_names, idx),                                           \
	.spec = SPI_DT_SPEC_GET(DT_PHANDLE_BY_IDX(node_id, prop, idx),                             \
				SPI_WORD_SET(8) | SPI_TRANSFER_MSB),                               \
	.held = SPI_DT_SPEC_GET(DT_PHANDLE_BY_IDX(node_id, prop, idx),                             \
				SPI_WORD_SET(8) | SPI_TRANSFER_MSB | SPI_HOLD_ON_CS |              \
					SPI_LOCK_ON),                                              \
},
#define DEFINE_SPI(node_id) LIST_DEFINE(node_id, spi_devices, spi_names, spi)
#define USE_SPI(node_id)    LIST_USE(node_id, spi_devices, spi)
#else
#define DEFINE_SPI(node_id) LIST_REFUSE(node_id, spi_devices, CONFIG_WISP_SPI)
#define USE_SPI(node_id)
#endif

#ifdef CONFIG_WISP_UART
#define uart_GRANT(node_id, prop, idx) {                                                           \
	.name = DT_PROP_BY_IDX(node_id, uart_names, idx),                                          \
	.spec = DEVICE_DT_GET(DT_PHANDLE_BY_IDX(node_id, prop, idx)),                              \
},
#define uart_PORT(node_id, prop, idx)                                                              \
	[idx] = WISP_UART_INITIALIZER(TABLE(node_id, uart_ports)[idx]),
#define UART_GRANTS(node_id)                                                                       \
	LIST_GRANTS(node_id, uarts, uart_names, uart)                                              \
	static struct wisp_uart TABLE(node_id, uart_ports)[] = {                                   \
		DT_FOREACH_PROP_ELEM(node_id, uarts, uart_PORT)};
#define UART_TABLE(node_id) LIST_TABLE(node_id, uart).uart_ports = TABLE(node_id, uart_ports),
#define DEFINE_UART(node_id)                                                                       \
	COND_CODE_1(DT_NODE_HAS_PROP(node_id, uarts), (UART_GRANTS(node_id)), ())
#define USE_UART(node_id)                                                                          \
	COND_CODE_1(DT_NODE_HAS_PROP(node_id, uarts), (UART_TABLE(node_id)), ())
#else
#define DEFINE_UART(node_id) LIST_REFUSE(node_id, uarts, CONFIG_WISP_UART)
#define USE_UART(node_id)
#endif

#ifdef CONFIG_WISP_SENSOR
#define sensor_GRANT(node_id, prop, idx) {                                                         \
	.name = DT_PROP_BY_IDX(node_id, sensor_names, idx),                                        \
	.spec = DEVICE_DT_GET(DT_PHANDLE_BY_IDX(node_id, prop, idx)),                              \
},
#define DEFINE_SENSOR(node_id) LIST_DEFINE(node_id, sensors, sensor_names, sensor)
#define USE_SENSOR(node_id)    LIST_USE(node_id, sensors, sensor)
#else
#define DEFINE_SENSOR(node_id) LIST_REFUSE(node_id, sensors, CONFIG_WISP_SENSOR)
#define USE_SENSOR(node_id)
#endif

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
	LIST_REFUSE(node_id, publishes, CONFIG_WISP_MSG)                                           \
	LIST_REFUSE(node_id, subscribes, CONFIG_WISP_MSG)
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

#ifdef CONFIG_WISP_HEARTBEAT
#define DEFINE_HEARTBEAT(node_id)
#else
#define DEFINE_HEARTBEAT(node_id) LIST_REFUSE(node_id, heartbeat_ms, CONFIG_WISP_HEARTBEAT)
#endif

#ifdef CONFIG_WISP_DEADLINE
#define DEFINE_DEADLINE(node_id)
#else
#define DEFINE_DEADLINE(node_id) LIST_REFUSE(node_id, max_run_ms, CONFIG_WISP_DEADLINE)
#endif

#ifdef CONFIG_WISP_KV
#define DEFINE_KV(node_id)
#define USE_KV(node_id)                                                                            \
	.kv_size = DT_PROP_OR(node_id, kv_size, 0),                                                \
	.kv_erases = DT_PROP_OR(node_id, kv_erases_per_hour, CONFIG_WISP_KV_ERASES_PER_HOUR),
#else
#define DEFINE_KV(node_id) LIST_REFUSE(node_id, kv_size, CONFIG_WISP_KV)
#define USE_KV(node_id)
#endif

#define DEFINE_APP(node_id)                                                                        \
	DEFINE_STRINGS(node_id, args)                                                              \
	DEFINE_STRINGS(node_id, env)                                                               \
	DEFINE_EVENTS(node_id)                                                                     \
	DEFINE_GPIOS(node_id)                                                                      \
	DEFINE_I2C(node_id)                                                                        \
	DEFINE_ADC(node_id)                                                                        \
	DEFINE_PWM(node_id)                                                                        \
	DEFINE_SPI(node_id)                                                                        \
	DEFINE_UART(node_id)                                                                       \
	DEFINE_SENSOR(node_id)                                                                     \
	DEFINE_KV(node_id)                                                                         \
	DEFINE_MSG(node_id)                                                                        \
	DEFINE_HEARTBEAT(node_id)                                                                  \
	DEFINE_DEADLINE(node_id)                                                                   \
	static const struct wisp_grants TABLE(node_id, grants) = {                                 \
		USE_STRINGS(node_id, args, arg_count)                                              \
		USE_STRINGS(node_id, env, env_count)                                               \
		USE_EVENTS(node_id)                                                                \
		USE_GPIOS(node_id)                                                                 \
		USE_I2C(node_id)                                                                   \
		USE_ADC(node_id)                                                                   \
		USE_PWM(node_id)                                                                   \
		USE_SPI(node_id)                                                                   \
		USE_UART(node_id)                                                                  \
		USE_SENSOR(node_id)                                                                \
		USE_KV(node_id)                                                                    \
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

#define DEFINE_APPS(inst) DT_FOREACH_CHILD_STATUS_OKAY(DT_DRV_INST(inst), DEFINE_APP)

DT_INST_FOREACH_STATUS_OKAY(DEFINE_APPS)
