/* SPDX-License-Identifier: Apache-2.0 */

#include <stdint.h>
#include <wisp.h>

#include "../../peripherals/guests/check.h"

int main(void)
{
	char value[4] = {0};

	EXPECT(wisp_kv_get("count", 5, value, sizeof(value)) == 3);
	EXPECT(value[0] == 't' && value[1] == 'w' && value[2] == 'o');
	return 0;
}
