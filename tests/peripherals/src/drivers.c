/* SPDX-License-Identifier: Apache-2.0 */

/* Driver crates from the Rust registry, unchanged in the sandbox, on emulated devices. */

#include <string.h>

#include <zephyr/drivers/eeprom.h>
#include <zephyr/ztest.h>

#include "registers.h"
#include "support.h"

ZTEST_SUITE(drivers, NULL, NULL, NULL, NULL, NULL);

ZTEST(drivers, test_eeprom24x_bmi160_and_ads1x1x_run_in_a_guest)
{
	static const uint8_t acceleration[] = {0x10, 0x00, 0xf0, 0xff, 0x00, 0x40};
	static const int16_t inputs[] = {0, 0x1234, 0, 0};
	const struct device *store = DEVICE_DT_GET(DT_NODELABEL(store));
	char text[22] = {0};

	registers_of_68.values[0x00] = 0xd1;
	memcpy(&registers_of_68.values[0x12], acceleration, sizeof(acceleration));
	spi_registers.values[0x00] = 0xd1;
	memcpy(&spi_registers.values[0x12], acceleration, sizeof(acceleration));
	memcpy(ads1115_inputs, inputs, sizeof(inputs));
	begin(SECOND, "drivers");
	succeed(SECOND);

	/* What the guest wrote, seen through Zephyr's own driver. */
	zassert_ok(eeprom_read(store, 0x33, text, 21));
	zassert_str_equal(text, "Written page by page.");
	/* The command that starts the accelerometer. */
	zassert_equal(registers_of_68.values[0x7e], 0x11);
	zassert_equal(spi_registers.values[0x7e], 0x11);
}

static bool pixel(int x, int y)
{
	return (ssd1306.memory[y / 8][x] & BIT(y % 8)) != 0;
}

ZTEST(drivers, test_ssd1306_and_embedded_graphics_run_in_a_guest)
{
	int lit = 0;

	begin(SECOND, "display");
	succeed(SECOND);
	zassert_true(ssd1306.on);
	/* The frame is there all round, with a gap before the word, and nothing else is lit. */
	for (int x = 0; x < SSD1306_COLUMNS; x++) {
		zassert_true(pixel(x, 0) && pixel(x, 31), "column %d", x);
		zassert_equal(pixel(x, 1), x == 0 || x == 127, "column %d", x);
		zassert_equal(pixel(x, 30), x == 0 || x == 127, "column %d", x);
	}
	for (int y = 11; y < 21; y++) {
		for (int x = 1; x < 127; x++) {
			zassert_true(!pixel(x, y) || (x >= 52 && x < 76), "%d, %d", x, y);
			lit += pixel(x, y);
		}
	}
	zassert_between_inclusive(lit, 30, 120);
}
