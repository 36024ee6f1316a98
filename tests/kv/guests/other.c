/* SPDX-License-Identifier: Apache-2.0 */

#include <stdint.h>
#include <wisp.h>

#include "../../peripherals/guests/check.h"

int main(void)
{
	char value[4] = {0};

	EXPECT(wisp_kv_get("count", 5, value, sizeof(value)) == -WISP_ENOENT);
	EXPECT(wisp_kv_remove("count", 5) == -WISP_ENOENT);
	/* The quota is its own too. */
	EXPECT(wisp_kv_set("count", 5, "mine", 4) == 0);
	EXPECT(wisp_kv_remove("count", 5) == 0);
	return 0;
}
