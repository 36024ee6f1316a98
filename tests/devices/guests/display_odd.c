/* SPDX-License-Identifier: Apache-2.0 */

/* A display whose last pixels fill no byte. */

#include <stdint.h>
#include <wisp.h>

#include "check.h"

int main(void)
{
	EXPECT(wisp_display_open_str("whole") == -WISP_ENOTSUP);
	return 0;
}
