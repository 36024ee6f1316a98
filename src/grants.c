/* SPDX-License-Identifier: Apache-2.0 */

/* Turns the children of wisp,apps nodes into apps with their RAM and grant tables. */

#define DT_DRV_COMPAT wisp_apps

#include <zephyr/devicetree.h>
#include <zephyr/sys/util.h>

#include <wisp/wisp.h>

#include "grants.h"
#include "host/event.h"

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
						 "of its gpios");  \
	BUILD_ASSERT(DT_PROP_LEN(node_id, gpios) <= MAX_PINS,                                      \
		     "wisp,apps: " DT_NODE_PATH(node_id) " has more than 32 gpios");               \
	static const struct wisp_gpio_grant TABLE(node_id, gpios)[] = {                            \
		DT_FOREACH_PROP_ELEM(node_id, gpios, GPIO_GRANT)};                                 \
	GPIO_WATCHES(node_id)

#define GPIO_TABLE(node_id)                                                                        \
	USE_WATCHES(node_id).gpios = TABLE(node_id, gpios), .gpio_count = ARRAY_SIZE(TABLE(node_id, gpios)),

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

#define DEFINE_APP(node_id)                                                                        \
	DEFINE_EVENTS(node_id)                                                                     \
	DEFINE_GPIOS(node_id)                                                                      \
	static const struct wisp_grants TABLE(node_id, grants) = {USE_EVENTS(node_id)              \
									  USE_GPIOS(node_id)};     \
	Z_WISP_APP_DEFINE(Z_WISP_APP_DT_NAME(node_id), DT_NODE_FULL_NAME(node_id),                 \
			  DT_PROP_OR(node_id, memory_size, CONFIG_WISP_MEMORY_SIZE),               \
			  DT_PROP_OR(node_id, frame_size, CONFIG_WISP_FRAME_SIZE),                 \
			  DT_PROP_OR(node_id, stack_size, CONFIG_WISP_STACK_SIZE),                 \
			  DT_PROP_OR(node_id, priority, CONFIG_WISP_PRIORITY),                     \
			  &TABLE(node_id, grants));

#define DEFINE_APPS(inst) DT_FOREACH_CHILD_STATUS_OKAY(DT_DRV_INST(inst), DEFINE_APP)

DT_INST_FOREACH_STATUS_OKAY(DEFINE_APPS)
