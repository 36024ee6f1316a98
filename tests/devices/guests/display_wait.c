/* SPDX-License-Identifier: Apache-2.0 */

/* An area that no other app has, of a display whose driver another app may call. */

#include <stdint.h>
#include <wisp.h>

#include "check.h"

BOARD("snap") void snap(void);

int main(void)
{
	snap();
	EXPECT(wisp_display_open_str("below") >= 0);
	return 0;
}
