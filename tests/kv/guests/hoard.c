/* SPDX-License-Identifier: Apache-2.0 */

/* Stores as much as it can: small values under many keys, then one of them over and over. */

#include <stdint.h>
#include <wisp.h>

#include "../../peripherals/guests/check.h"

#define TRIES 1000

int main(void)
{
	char key[2] = "k0";
	int32_t result = 0;
	int tries;

	/* Of 192 bytes an entry takes 34: 16 and "wisp/neighbour/k0" beside its byte. */
	for (tries = 0; tries < 10 && result == 0; tries++) {
		key[1] = (char)('0' + tries);
		result = wisp_kv_set(key, 2, "x", 1);
	}
	EXPECT(result == -WISP_ENOSPC && tries == 6);

	result = 0;
	for (tries = 0; tries < TRIES && result == 0; tries++) {
		result = wisp_kv_set("k0", 2, "y", 1);
	}
	EXPECT(result == -WISP_EAGAIN && tries > 1);
	EXPECT(wisp_kv_remove("k0", 2) == -WISP_EAGAIN);
	/* Reading wears nothing. */
	EXPECT(wisp_kv_get("k0", 2, key, 1) == 1 && key[0] == 'y');
	return 0;
}
