/* SPDX-License-Identifier: Apache-2.0 */

#include <stdint.h>
#include <wisp.h>

#include "check.h"

int main(void)
{
	uint8_t id[WISP_HWINFO_MAX_ID];

	EXPECT(wisp_hwinfo_device_id(id, sizeof(id)) == -WISP_EACCES);
	EXPECT(wisp_hwinfo_reset_cause() == -WISP_EACCES);
	return 0;
}
