/* SPDX-License-Identifier: Apache-2.0 */

/* Was granted no service. */

#include "check.h"

int main(void)
{
	struct wisp_ble_value written;

	EXPECT(wisp_ble_declare(1, 2, WISP_BLE_READ, 1) == EACCES);
	EXPECT(wisp_ble_serve() == EACCES);
	EXPECT(wisp_ble_set(0, BYTES("")) == EACCES);
	EXPECT(wisp_ble_stop_serving() == 0);
	EXPECT(wisp_ble_written(1, &written) == ETIMEDOUT);
	return 0;
}
