/* SPDX-License-Identifier: Apache-2.0 */

/* I2C devices: what arrives on the bus, errors, two apps on one bus, an app that is stopped. */

#include <zephyr/ztest.h>

#include "registers.h"
#include "support.h"

static void before(void *fixture)
{
	ARG_UNUSED(fixture);
	registers_of_42.values[0x00] = 0x5a;
	registers_of_42.values[0x10] = 0;
	registers_of_68.values[0x10] = 0;
}

ZTEST_SUITE(i2c, NULL, NULL, before, NULL, NULL);

ZTEST(i2c, test_functions_and_errors)
{
	begin(FIRST, "i2c");
	succeed(FIRST);
	/* The guest's last one: write, write, read, read, write. */
	zassert_equal(registers_of_42.messages, 5);
	zassert_equal(registers_of_42.flags[0], I2C_MSG_WRITE);
	zassert_equal(registers_of_42.flags[1], I2C_MSG_WRITE);
	zassert_equal(registers_of_42.flags[2], I2C_MSG_READ | I2C_MSG_RESTART);
	zassert_equal(registers_of_42.flags[3], I2C_MSG_READ);
	zassert_equal(registers_of_42.flags[4], I2C_MSG_WRITE | I2C_MSG_RESTART | I2C_MSG_STOP);
}

ZTEST(i2c, test_two_apps_share_a_bus_and_reach_only_their_own_device)
{
	begin(FIRST, "share");
	begin(SECOND, "share");
	succeed(FIRST);
	succeed(SECOND);
	/* Each counted to 20 in its own device. */
	zassert_equal(registers_of_42.values[0x10], 20);
	zassert_equal(registers_of_68.values[0x10], 20);
}

ZTEST(i2c, test_an_app_stopped_in_a_transfer_ends_after_it)
{
	int before = registers_of_42.transactions;

	k_sem_reset(&slow_began);
	begin(FIRST, "slow_read");
	zassert_ok(k_sem_take(&slow_began, K_SECONDS(10)));
	stop(FIRST);
	zassert_equal(registers_of_42.transactions, before + 1);
	/* The bus and the device are usable again. */
	begin(FIRST, "i2c");
	succeed(FIRST);
}
