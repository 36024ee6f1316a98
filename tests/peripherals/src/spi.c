/* SPDX-License-Identifier: Apache-2.0 */

/*
 * SPI devices: Zephyr's emulated BMI160, which takes its register number apart from the data, and
 * registers of its own for errors and for what keeps the chip selected.
 */

#include <zephyr/ztest.h>

#include "registers.h"
#include "support.h"

ZTEST_SUITE(spi, NULL, NULL, NULL, NULL, NULL);

ZTEST(spi, test_functions_and_errors)
{
	int before = spi_registers.transfers;

	begin(FIRST, "spi");
	succeed(FIRST);
	/* The guest's transactions without delay are one transfer each, with one they are two. */
	zassert_equal(spi_registers.transfers, before + 6);
	zassert_equal(spi_registers.values[0x10], 1);
	zassert_equal(spi_registers.values[0x11], 2);
	zassert_equal(spi_registers.values[0x12], 3);
}

ZTEST(spi, test_an_app_stopped_in_a_transfer_ends_after_it)
{
	int before = spi_registers.transfers;

	k_sem_reset(&slow_spi_began);
	begin(FIRST, "slow_spi");
	zassert_ok(k_sem_take(&slow_spi_began, K_SECONDS(10)));
	stop(FIRST);
	zassert_equal(spi_registers.transfers, before + 1);
	begin(FIRST, "spi");
	succeed(FIRST);
}

ZTEST(spi, test_a_stop_ends_a_transaction_at_its_delay)
{
	int before = spi_registers.transfers;

	k_sem_reset(&slow_spi_began);
	begin(FIRST, "held_spi");
	zassert_ok(k_sem_take(&slow_spi_began, K_SECONDS(10)));
	stop(FIRST);
	/* What follows the delay was not done, and the bus is free. */
	zassert_equal(spi_registers.transfers, before + 1);
	begin(FIRST, "spi");
	succeed(FIRST);
}
