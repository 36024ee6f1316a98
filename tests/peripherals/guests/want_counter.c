/* SPDX-License-Identifier: Apache-2.0 */

/* Another app has the counter. */

#include <wisp.h>

#include "check.h"

int main(void)
{
	EXPECT(wisp_counter_open_str("shared_clock") == -WISP_EBUSY);
	return 0;
}
