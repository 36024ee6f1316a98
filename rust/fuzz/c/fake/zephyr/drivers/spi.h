/* SPDX-License-Identifier: Apache-2.0 */

#ifndef FAKE_ZEPHYR_DRIVERS_SPI_H_
#define FAKE_ZEPHYR_DRIVERS_SPI_H_

struct spi_dt_spec {
	int unused;
};

#endif /* FAKE_ZEPHYR_DRIVERS_SPI_H_ */
