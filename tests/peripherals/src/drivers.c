/* SPDX-License-Identifier: Apache-2.0 */

/* Driver crates from the Rust registry, unchanged in the sandbox, on emulated devices. */

#include <string.h>

#include <zephyr/drivers/eeprom.h>
#include <zephyr/ztest.h>

#include "registers.h"
#include "support.h"

ZTEST_SUITE(drivers, NULL, NULL, NULL, NULL, NULL);

ZTEST(drivers, test_eeprom24x_and_bmi160_run_in_a_guest)
{
	static const uint8_t acceleration[] = {0x10, 0x00, 0xf0, 0xff, 0x00, 0x40};
	const struct device *store = DEVICE_DT_GET(DT_NODELABEL(store));
	char text[22] = {0};

	registers_of_68.values[0x00] = 0xd1;
	memcpy(&registers_of_68.values[0x12], acceleration, sizeof(acceleration));
	begin(SECOND, "drivers");
	succeed(SECOND);

	/* What the guest wrote, seen through Zephyr's own driver. */
	zassert_ok(eeprom_read(store, 0x33, text, 21));
	zassert_str_equal(text, "Written page by page.");
	/* The command that starts the accelerometer. */
	zassert_equal(registers_of_68.values[0x7e], 0x11);
}
