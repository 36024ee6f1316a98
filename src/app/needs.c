/* SPDX-License-Identifier: Apache-2.0 */

/* Checks, before an app is installed, whether its node grants anything of an import module. */

#include <string.h>

#include <zephyr/sys/util.h>

#include <wisp/wisp.h>

#include "app/grants.h"
#include "border/shim.h"

/* Names of the interfaces with grants, as between "wisp:" and "@" in the import module. */
static uint32_t granted(const struct wisp_grants *grants, const char *ident, size_t length)
{
#define GRANTS(_ident, _count)                                                                     \
	if (length == sizeof(_ident) - 1 && memcmp(ident, _ident, length) == 0) {                  \
		return (grants == NULL) ? 0 : (_count);                                            \
	}
#define LIST(_table, _option, _property, _names, ...)                                              \
	IF_ENABLED(_option, (GRANTS(#_table, grants->_table##_count)))
	WISP_GRANT_LISTS(LIST)
	IF_ENABLED(CONFIG_WISP_GPIO, (GRANTS("gpio", grants->gpio_count)))
	IF_ENABLED(CONFIG_WISP_MSG, (GRANTS("msg", grants->msg_count)))
	IF_ENABLED(CONFIG_WISP_NET, (GRANTS("net", grants->net != NULL)))
	IF_ENABLED(CONFIG_WISP_MQTT, (GRANTS("mqtt", grants->net != NULL)))
	IF_ENABLED(CONFIG_WISP_BLE, (GRANTS("ble", grants->ble != NULL)))
	IF_ENABLED(CONFIG_WISP_COAP, (GRANTS("coap", grants->net != NULL)))
	IF_ENABLED(CONFIG_WISP_HWINFO,
		   (GRANTS("hwinfo", grants->hwinfo_device_id || grants->hwinfo_reset_cause)))
	IF_ENABLED(CONFIG_WISP_KV, (GRANTS("kv", grants->kv_size)))
#undef LIST
#undef GRANTS
	/* Interfaces that need no grant. */
	return 1;
}

bool wisp_shim_grants(const struct wisp_app *app, const uint8_t *module, size_t length)
{
	static const char prefix[] = "wisp:";
	const char *text = (const char *)module;
	const char *end;

	if (length < sizeof(prefix) || memcmp(text, prefix, sizeof(prefix) - 1) != 0) {
		return true;
	}
	text += sizeof(prefix) - 1;
	end = memchr(text, '@', length - (sizeof(prefix) - 1));
	return end == NULL || granted(app->grants, text, end - text) != 0;
}
