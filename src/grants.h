/* SPDX-License-Identifier: Apache-2.0 */

/* What an app may touch: tables in flash that devicetree nodes become. */

#ifndef WISP_SRC_GRANTS_H_
#define WISP_SRC_GRANTS_H_

#include <stdint.h>

#include <zephyr/drivers/gpio.h>

struct wisp_events;

/* Makes the edges of a pin events. */
struct wisp_gpio_watch {
	struct gpio_callback callback;
	struct wisp_events *events;
	uint8_t pin;
	uint8_t edges;
};

struct wisp_gpio_grant {
	const char *name;
	struct gpio_dt_spec pin;
};

struct wisp_grants {
#ifdef CONFIG_WISP_EVENT
	struct wisp_events *events;
#endif
#ifdef CONFIG_WISP_GPIO
	const struct wisp_gpio_grant *gpios;
#ifdef CONFIG_WISP_EVENT
	/* As many as pins. */
	struct wisp_gpio_watch *watches;
#endif
	uint8_t gpio_count;
#endif
};

#endif /* WISP_SRC_GRANTS_H_ */
