/* SPDX-License-Identifier: Apache-2.0 */

/* Leaves filters behind: after a few runs, the controller would have none left. */

#include <stdint.h>
#include <wisp.h>

#include "check.h"

int main(void)
{
	int32_t opened = wisp_can_open_str("bus");

	EXPECT(opened >= 0);
	for (int i = 0; i < 3; i++) {
		EXPECT(wisp_can_filter((uint32_t)opened, 0, 0, 0) == 0);
	}
	return 0;
}
