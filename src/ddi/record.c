/* SPDX-License-Identifier: Apache-2.0 */

/* What the DDI client keeps in the settings: server, device and token, and the action. */

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <string.h>

#include <zephyr/kernel.h>
#include <zephyr/settings/settings.h>
#include <zephyr/sys/crc.h>
#include <zephyr/sys/printk.h>

#include "app/shown.h"
#include "ddi/ddi.h"

#define FORMAT     2
#define ACTION_KEY "wisp_ddi/action"

struct wisp_ddi_identity wisp_ddi_identity;
struct wisp_ddi_record wisp_ddi_record;

BUILD_ASSERT(sizeof(struct wisp_ddi_record) <= SETTINGS_MAX_VAL_LEN);

static char words[WISP_DDI_WORDS_SIZE];

void wisp_ddi_clean(char *text)
{
	for (; *text != '\0'; text++) {
		*text = wisp_shown(*text);
	}
}

int wisp_ddi_say(int trouble, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintk(words, sizeof(words), format, args);
	va_end(args);
	/* The server's texts are among them. */
	wisp_ddi_clean(words);
	return trouble;
}

const char *wisp_ddi_words(void)
{
	return words;
}

static const struct key {
	const char *name;
	const char *setting;
	const char *configured;
	size_t offset;
	size_t size;
} keys[] = {
	{"server", "wisp_ddi/server", CONFIG_WISP_DDI_SERVER,
	 offsetof(struct wisp_ddi_identity, server), sizeof(wisp_ddi_identity.server)},
	{"device", "wisp_ddi/device", CONFIG_WISP_DDI_DEVICE,
	 offsetof(struct wisp_ddi_identity, device), sizeof(wisp_ddi_identity.device)},
	{"token", "wisp_ddi/token", CONFIG_WISP_DDI_TOKEN,
	 offsetof(struct wisp_ddi_identity, token), sizeof(wisp_ddi_identity.token)},
};

/* Returns whether a value can stand in an address or a header without any escape. */
static bool is_plain(const char *value, const char *also)
{
	for (; *value != '\0'; value++) {
		if (!isalnum((unsigned char)*value) && strchr(also, *value) == NULL) {
			return false;
		}
	}
	return true;
}

int wisp_ddi_identify(void)
{
	(void)settings_subsys_init();
	ARRAY_FOR_EACH_PTR(keys, key) {
		char *value = (char *)&wisp_ddi_identity + key->offset;
		ssize_t length = settings_load_one(key->setting, value, key->size - 1);

		if (length > 0 && (size_t)length < key->size) {
			value[length] = '\0';
		} else {
			snprintk(value, key->size, "%s", key->configured);
		}
	}
	if (wisp_ddi_identity.server[0] == '\0' || wisp_ddi_identity.device[0] == '\0') {
		return wisp_ddi_say(WISP_DDI_PASSING, "no %s is set; see CONFIG_WISP_DDI_%s",
				    wisp_ddi_identity.server[0] == '\0' ? "server" : "device",
				    wisp_ddi_identity.server[0] == '\0' ? "SERVER" : "DEVICE");
	}
	if (!is_plain(wisp_ddi_identity.device, "-._~")) {
		return wisp_ddi_say(WISP_DDI_PASSING,
				    "%s: a device's id has letters, digits and -._~ only",
				    wisp_ddi_identity.device);
	}
	/* The token is never shown. */
	if (!is_plain(wisp_ddi_identity.token, "-._~+/=")) {
		return wisp_ddi_say(WISP_DDI_PASSING,
				    "a token has letters, digits and -._~+/= only");
	}
	return 0;
}

int wisp_ddi_set(const char *key_name, const char *value)
{
	ARRAY_FOR_EACH_PTR(keys, key) {
		int ret;

		if (strcmp(key->name, key_name) != 0) {
			continue;
		}
		if (strlen(value) >= key->size) {
			return -ENAMETOOLONG;
		}
		ret = settings_subsys_init();
		if (ret == 0) {
			ret = value[0] == '\0'
				      ? settings_delete(key->setting)
				      : settings_save_one(key->setting, value, strlen(value));
		}
		if (ret == 0) {
			wisp_ddi_poll();
		}
		return ret;
	}
	return -EINVAL;
}

uint32_t wisp_ddi_who(void)
{
	const struct wisp_ddi_identity *identity = &wisp_ddi_identity;
	uint32_t sum = crc32_ieee((const uint8_t *)identity->server, strlen(identity->server) + 1);

	return crc32_ieee_update(sum, (const uint8_t *)identity->device, strlen(identity->device));
}

void wisp_ddi_record_read(void)
{
	ssize_t length = settings_load_one(ACTION_KEY, &wisp_ddi_record, sizeof(wisp_ddi_record));
	bool good = length == sizeof(wisp_ddi_record) && wisp_ddi_record.format == FORMAT &&
		    wisp_ddi_record.part <= CONFIG_WISP_DDI_APPS;

	if (!good) {
		memset(&wisp_ddi_record, 0, sizeof(wisp_ddi_record));
	}
	/* Another firmware may have written it, or nothing did. */
	wisp_ddi_record.id[sizeof(wisp_ddi_record.id) - 1] = '\0';
	wisp_ddi_record.app[sizeof(wisp_ddi_record.app) - 1] = '\0';
	wisp_ddi_record.reason[sizeof(wisp_ddi_record.reason) - 1] = '\0';
}

int wisp_ddi_record_write(void)
{
	int ret;

	wisp_ddi_record.format = FORMAT;
	ret = settings_save_one(ACTION_KEY, &wisp_ddi_record, sizeof(wisp_ddi_record));
	return ret == 0 ? 0
			: wisp_ddi_say(WISP_DDI_PASSING, "the settings cannot be written: error %d",
				       -ret);
}

int wisp_ddi_record_delete(void)
{
	int ret = settings_delete(ACTION_KEY);

	memset(&wisp_ddi_record, 0, sizeof(wisp_ddi_record));
	return ret == 0 ? 0
			: wisp_ddi_say(WISP_DDI_PASSING, "the settings cannot be written: error %d",
				       -ret);
}
