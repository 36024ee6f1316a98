/* SPDX-License-Identifier: Apache-2.0 */

#include <stdint.h>
#include <wisp.h>

#include "check.h"

/* Bytes of the identifier, or the error number of both calls. */
BOARD("hardware") void hardware(int32_t id_length);

int main(void)
{
	uint8_t id[WISP_HWINFO_MAX_ID] = {0};

	EXPECT(wisp_hwinfo_device_id(id, sizeof(id)) == 5);
	EXPECT(id[0] == 0xde && id[1] == 0xad && id[2] == 0 && id[4] == 2 && id[5] == 0);
	id[0] = id[1] = 0;
	EXPECT(wisp_hwinfo_device_id(id, 1) == 5);
	EXPECT(id[0] == 0xde && id[1] == 0);
	EXPECT(wisp_hwinfo_device_id(id, 0) == 5);
	EXPECT(wisp_hwinfo_device_id(NOWHERE, 1) == -WISP_EFAULT);
	/* A cause that has no name is left out. */
	EXPECT(wisp_hwinfo_reset_cause() == (WISP_HWINFO_WATCHDOG | WISP_HWINFO_PIN));
	hardware(0);
	EXPECT(wisp_hwinfo_device_id(id, sizeof(id)) == -WISP_ENOTSUP);
	/* Without a driver. */
	hardware(-1);
	EXPECT(wisp_hwinfo_device_id(id, sizeof(id)) == -WISP_ENOTSUP);
	EXPECT(wisp_hwinfo_reset_cause() == -WISP_ENOTSUP);
	hardware(-5);
	EXPECT(wisp_hwinfo_device_id(id, sizeof(id)) == -WISP_EIO);
	EXPECT(wisp_hwinfo_reset_cause() == -WISP_EIO);
	return 0;
}
