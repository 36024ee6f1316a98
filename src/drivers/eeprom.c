/* SPDX-License-Identifier: Apache-2.0 */

#include <zephyr/drivers/eeprom.h>

#include <wisp/wisp.h>

#include "app/grants.h"
#include "border/errno.h"
#include "border/shim.h"

/*
 * Rust passes only indices that a search returned. The check limits the effect of a mistake there.
 */
static const struct wisp_eeprom_grant *granted(const struct wisp_app *app, uint32_t eeprom)
{
	if (app->grants == NULL || eeprom >= app->grants->eeprom_count) {
		return NULL;
	}
	return &app->grants->eeprom[eeprom];
}

int32_t wisp_shim_eeprom_find(const struct wisp_app *app, const uint8_t *label, size_t length)
{
	return (app->grants == NULL)
		       ? -1
		       : wisp_grant_find(app->grants->eeprom, app->grants->eeprom_count,
					 sizeof(app->grants->eeprom[0]), label, length);
}

uint32_t wisp_shim_eeprom_open(const struct wisp_app *app, uint32_t eeprom)
{
	const struct wisp_eeprom_grant *grant = granted(app, eeprom);

	if (grant == NULL || !device_is_ready(grant->device)) {
		return WISP_ENODEV;
	}
	return wisp_owner_take(grant->owner, grant->device, 0) ? 0 : WISP_EBUSY;
}

void wisp_shim_eeprom_close(const struct wisp_app *app, uint32_t eeprom)
{
	const struct wisp_eeprom_grant *grant = granted(app, eeprom);

	if (grant != NULL) {
		wisp_owner_release(grant->owner);
	}
}

uint32_t wisp_shim_eeprom_size(const struct wisp_app *app, uint32_t eeprom)
{
	const struct wisp_eeprom_grant *grant = granted(app, eeprom);

	return (grant == NULL) ? 0 : (uint32_t)eeprom_get_size(grant->device);
}

uint32_t wisp_shim_eeprom_read(const struct wisp_app *app, uint32_t eeprom, uint32_t offset,
			       uint8_t *buffer, uint32_t length)
{
	const struct wisp_eeprom_grant *grant = granted(app, eeprom);

	if (grant == NULL) {
		return WISP_ENODEV;
	}
	return wisp_driver_error(eeprom_read(grant->device, (off_t)offset, buffer, length));
}

uint32_t wisp_shim_eeprom_write(const struct wisp_app *app, uint32_t eeprom, uint32_t offset,
				const uint8_t *bytes, uint32_t length)
{
	const struct wisp_eeprom_grant *grant = granted(app, eeprom);

	if (grant == NULL) {
		return WISP_ENODEV;
	}
	return wisp_driver_error(eeprom_write(grant->device, (off_t)offset, bytes, length));
}
