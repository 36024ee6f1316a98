/* SPDX-License-Identifier: Apache-2.0 */

/* Grants of devices on SPI buses. */

#ifndef WISP_DRIVERS_SPI_H_
#define WISP_DRIVERS_SPI_H_

#include <zephyr/drivers/spi.h>

struct wisp_spi_grant {
	const char *name;
	struct spi_dt_spec spec;
	/* The same device, with the chip selected between transfers. */
	struct spi_dt_spec held;
};

struct wisp_app;

/* Releases the bus that a transaction of the app's keeps. */
void wisp_spi_end(const struct wisp_app *app);

/* clang-format off */
#define spi_STATE(node_id)
#define spi_GRANT(node_id, prop, idx) {                                                            \
	.name = DT_PROP_BY_IDX(node_id, spi_names, idx),                                           \
	.spec = SPI_DT_SPEC_GET(DT_PHANDLE_BY_IDX(node_id, prop, idx),                             \
				SPI_WORD_SET(8) | SPI_TRANSFER_MSB),                               \
	.held = SPI_DT_SPEC_GET(DT_PHANDLE_BY_IDX(node_id, prop, idx),                             \
				SPI_WORD_SET(8) | SPI_TRANSFER_MSB | SPI_HOLD_ON_CS |              \
					SPI_LOCK_ON),                                              \
},
/* clang-format on */

#endif /* WISP_DRIVERS_SPI_H_ */
