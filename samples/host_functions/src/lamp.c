/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The import module acme:lamp@1: functions of this firmware under a grant of its own. Each
 * function asks which app calls, and looks for it in a table that the devicetree becomes.
 */

#include <errno.h>
#include <string.h>

#include <zephyr/devicetree.h>
#include <zephyr/kernel.h>
#include <zephyr/logging/log.h>
#include <zephyr/sys/util.h>

#include <wisp/host_function.h>
#include <wisp/wisp.h>

LOG_MODULE_REGISTER(lamp);

/* Error numbers of the guest ABI, which do not depend on the C library. */
#define NO_LAMP     19
#define NOT_GRANTED 13
#define TOO_BRIGHT  34

struct lamp {
	const char *name;
	const struct wisp_app *app;
	uint32_t brightest;
};

#define LAMP(node_id)                                                                              \
	{                                                                                          \
		.name = DT_NODE_FULL_NAME(node_id),                                                \
		.app = WISP_APP_DT_GET(DT_PHANDLE(node_id, app)),                                  \
		.brightest = DT_PROP(node_id, brightest),                                          \
	},

static const struct lamp lamps[] = {DT_FOREACH_CHILD(DT_PATH(lamps), LAMP)};
static uint32_t levels[ARRAY_SIZE(lamps)];

/*
 * set(name: pointer, length, percent) -> 0 or a negative error. The signature "*~" has the
 * name checked against the guest's memory before this function is called.
 */
static uint32_t set(struct wisp_caller *caller, uint32_t *slots, const void *env)
{
	const char *name = wisp_caller_memory(caller, slots[0], slots[1]);
	uint32_t length = slots[1];
	uint32_t percent = slots[2];
	int32_t result = -NO_LAMP;

	ARG_UNUSED(env);
	for (size_t i = 0; i < ARRAY_SIZE(lamps); i++) {
		if (strlen(lamps[i].name) != length || memcmp(lamps[i].name, name, length) != 0) {
			continue;
		}
		if (lamps[i].app != wisp_caller_app(caller)) {
			LOG_WRN("%s may not set the lamp %s",
				wisp_app_name(wisp_caller_app(caller)), lamps[i].name);
			result = -NOT_GRANTED;
		} else if (percent > lamps[i].brightest) {
			result = -TOO_BRIGHT;
		} else {
			levels[i] = percent;
			LOG_INF("%s: %u %%", lamps[i].name, (unsigned int)percent);
			result = 0;
		}
	}
	slots[0] = (uint32_t)result;
	return 0;
}

WISP_HOST_FUNCTION_DEFINE("acme:lamp@1", "set", "(*~i)i", set);

/* fade(milliseconds): blocks, and ends when the app is told to stop. */
static uint32_t fade(struct wisp_caller *caller, uint32_t *slots, const void *env)
{
	ARG_UNUSED(env);
	return wisp_caller_sleep(caller, (uint64_t)slots[0] * USEC_PER_MSEC) ? WISP_TRAP_INTERRUPTED
									     : 0;
}

WISP_HOST_FUNCTION_DEFINE("acme:lamp@1", "fade", "(i)", fade);
