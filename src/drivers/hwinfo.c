/* SPDX-License-Identifier: Apache-2.0 */

#include <string.h>

#include <zephyr/drivers/hwinfo.h>
#include <zephyr/sys/util.h>

#include <wisp/wisp.h>

#include "app/grants.h"
#include "border/errno.h"
#include "border/shim.h"

BUILD_ASSERT(RESET_PIN == BIT(0) && RESET_SOFTWARE == BIT(1) && RESET_BROWNOUT == BIT(2) &&
		     RESET_POR == BIT(3) && RESET_WATCHDOG == BIT(4) && RESET_DEBUG == BIT(5) &&
		     RESET_SECURITY == BIT(6) && RESET_LOW_POWER_WAKE == BIT(7) &&
		     RESET_CPU_LOCKUP == BIT(8) && RESET_PARITY == BIT(9) && RESET_PLL == BIT(10) &&
		     RESET_CLOCK == BIT(11) && RESET_HARDWARE == BIT(12) && RESET_USER == BIT(13) &&
		     RESET_TEMPERATURE == BIT(14) && RESET_BOOTLOADER == BIT(15) &&
		     RESET_FLASH == BIT(16),
	     "the causes of wisp:hwinfo@1 are Zephyr's");

uint32_t wisp_shim_hwinfo_device_id(const struct wisp_app *app, uint8_t *buffer, size_t size,
				    uint32_t *length)
{
	uint8_t id[WISP_HWINFO_MAX_ID];
	ssize_t ret;

	if (app->grants == NULL || !app->grants->hwinfo_device_id) {
		return WISP_EACCES;
	}
	/* Drivers tell the length of what they copied only, so there is room for all of it. */
	ret = hwinfo_get_device_id(id, sizeof(id));
	if (ret <= 0) {
		return (ret == 0) ? WISP_ENOTSUP : wisp_driver_error((int)ret);
	}
	*length = MIN((uint32_t)ret, sizeof(id));
	memcpy(buffer, id, MIN(size, *length));
	return 0;
}

uint32_t wisp_shim_hwinfo_reset_cause(const struct wisp_app *app, uint32_t *causes)
{
	if (app->grants == NULL || !app->grants->hwinfo_reset_cause) {
		return WISP_EACCES;
	}
	return wisp_driver_error(hwinfo_get_reset_cause(causes));
}
