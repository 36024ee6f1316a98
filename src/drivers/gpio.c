/* SPDX-License-Identifier: Apache-2.0 */

#include <zephyr/drivers/gpio.h>
#include <zephyr/kernel.h>

#include <wisp/wisp.h>

#include "app/grants.h"
#include "border/errno.h"
#include "drivers/event.h"
#include "border/shim.h"

/*
 * Returns the grant with an index that wisp_shim_gpio_find() returned, or NULL. Rust passes only
 * such indices. The check limits the effect of a mistake there.
 */
static const struct gpio_dt_spec *granted(const struct wisp_app *app, uint32_t pin)
{
	if (app->grants == NULL || pin >= app->grants->gpio_count) {
		return NULL;
	}
	return &app->grants->gpios[pin].pin;
}

int32_t wisp_shim_gpio_find(const struct wisp_app *app, const uint8_t *label, size_t length)
{
	return (app->grants == NULL)
		       ? -1
		       : wisp_grant_find(app->grants->gpios, app->grants->gpio_count,
					 sizeof(app->grants->gpios[0]), label, length);
}

/* Serializes opening of pins, so that two apps cannot open the same pin. */
static struct k_spinlock opening;

/* Returns true if another app has the same pin open. */
static bool taken(const struct gpio_dt_spec *spec, const struct wisp_app *self)
{
	STRUCT_SECTION_FOREACH(wisp_app, app) {
		if (app->grants == NULL || app == self) {
			continue;
		}
		for (uint32_t i = 0; i < app->grants->gpio_count; i++) {
			const struct gpio_dt_spec *other = &app->grants->gpios[i].pin;

			if ((*app->grants->gpios_open & BIT(i)) != 0 && other->port == spec->port &&
			    other->pin == spec->pin) {
				return true;
			}
		}
	}
	return false;
}

/* Opens a pin for an app, or returns false if another app has it open. */
static bool claim(const struct wisp_app *app, uint32_t pin)
{
	bool is_free = false;

	K_SPINLOCK(&opening) {
		is_free = !taken(granted(app, pin), app);
		if (is_free) {
			*app->grants->gpios_open |= BIT(pin);
		}
	}
	return is_free;
}

static void unclaim(const struct wisp_app *app, uint32_t pin)
{
	K_SPINLOCK(&opening) {
		*app->grants->gpios_open &= ~BIT(pin);
	}
}

static int configure_output(const struct gpio_dt_spec *spec, uint32_t mode)
{
	gpio_flags_t flags;
	int ret;

	flags = (mode == WISP_PIN_OUTPUT_ACTIVE) ? GPIO_OUTPUT_ACTIVE : GPIO_OUTPUT_INACTIVE;
	/*
	 * An output that is also an input can be read back. Some controllers do not support that.
	 */
	ret = gpio_pin_configure_dt(spec, flags | GPIO_INPUT);
	if (ret == -ENOTSUP) {
		ret = gpio_pin_configure_dt(spec, flags);
	}
	return ret;
}

uint32_t wisp_shim_gpio_configure(const struct wisp_app *app, uint32_t pin, uint32_t mode)
{
	const struct gpio_dt_spec *spec = granted(app, pin);
	bool was_open;
	int ret;

	if (spec == NULL || !gpio_is_ready_dt(spec)) {
		return WISP_ENODEV;
	}
	if (mode == WISP_PIN_RELEASED) {
		ret = gpio_pin_configure(spec->port, spec->pin, GPIO_DISCONNECTED);
		if (ret == -ENOTSUP) {
			ret = gpio_pin_configure_dt(spec, GPIO_INPUT);
		}
		unclaim(app, pin);
		return wisp_driver_error(ret);
	}
	was_open = (*app->grants->gpios_open & BIT(pin)) != 0;
	if (!claim(app, pin)) {
		return WISP_EBUSY;
	}
	ret = (mode == WISP_PIN_INPUT) ? gpio_pin_configure_dt(spec, GPIO_INPUT)
				       : configure_output(spec, mode);
	if (ret != 0 && !was_open) {
		unclaim(app, pin);
	}
	return wisp_driver_error(ret);
}

uint32_t wisp_shim_gpio_set(const struct wisp_app *app, uint32_t pin, bool active)
{
	const struct gpio_dt_spec *spec = granted(app, pin);

	return (spec == NULL) ? WISP_ENODEV : wisp_driver_error(gpio_pin_set_dt(spec, active));
}

uint32_t wisp_shim_gpio_toggle(const struct wisp_app *app, uint32_t pin)
{
	const struct gpio_dt_spec *spec = granted(app, pin);

	return (spec == NULL) ? WISP_ENODEV : wisp_driver_error(gpio_pin_toggle_dt(spec));
}

uint32_t wisp_shim_gpio_get(const struct wisp_app *app, uint32_t pin, bool *active)
{
	const struct gpio_dt_spec *spec = granted(app, pin);
	int ret;

	if (spec == NULL) {
		return WISP_ENODEV;
	}
	ret = gpio_pin_get_dt(spec);
	*active = ret > 0;
	return wisp_driver_error(ret);
}

#ifdef CONFIG_WISP_EVENT

static void edge(const struct device *port, struct gpio_callback *callback, gpio_port_pins_t pins)
{
	struct wisp_gpio_watch *watch = CONTAINER_OF(callback, struct wisp_gpio_watch, callback);
	bool active = (watch->edges == WISP_EDGES_ACTIVE);

	if (watch->edges == WISP_EDGES_BOTH) {
		active = gpio_pin_get(port, (gpio_pin_t)(find_lsb_set(pins) - 1)) > 0;
	}
	(void)wisp_events_put(watch->events, WISP_EVENT_EDGE, watch->pin, active);
}

/* Adds a callback to those of its port, or removes it: Zephyr's lists of callbacks have no lock. */
static int manage(const struct gpio_dt_spec *spec, struct gpio_callback *callback, bool add)
{
	static K_MUTEX_DEFINE(callbacks);
	int ret;

	(void)k_mutex_lock(&callbacks, K_FOREVER);
	ret = add ? gpio_add_callback_dt(spec, callback) : gpio_remove_callback_dt(spec, callback);
	(void)k_mutex_unlock(&callbacks);
	return ret;
}

uint32_t wisp_shim_gpio_watch(const struct wisp_app *app, uint32_t pin, uint32_t edges)
{
	static const gpio_flags_t flags[] = {
		[WISP_EDGES_NONE] = GPIO_INT_DISABLE,
		[WISP_EDGES_ACTIVE] = GPIO_INT_EDGE_TO_ACTIVE,
		[WISP_EDGES_INACTIVE] = GPIO_INT_EDGE_TO_INACTIVE,
		[WISP_EDGES_BOTH] = GPIO_INT_EDGE_BOTH,
	};
	const struct gpio_dt_spec *spec = granted(app, pin);
	struct wisp_gpio_watch *watch;
	int ret;

	if (spec == NULL) {
		return WISP_ENODEV;
	}
	if (edges >= ARRAY_SIZE(flags)) {
		return WISP_EINVAL;
	}
	watch = &app->grants->watches[pin];
	if (watch->edges != WISP_EDGES_NONE) {
		ret = gpio_pin_interrupt_configure_dt(spec, GPIO_INT_DISABLE);
		if (ret != 0) {
			return wisp_driver_error(ret);
		}
		(void)manage(spec, &watch->callback, false);
		watch->edges = WISP_EDGES_NONE;
	}
	wisp_events_drop(app->grants->events, WISP_EVENT_EDGE, (uint8_t)pin);
	if (edges == WISP_EDGES_NONE) {
		return 0;
	}
	watch->events = app->grants->events;
	watch->pin = (uint8_t)pin;
	watch->edges = (uint8_t)edges;
	gpio_init_callback(&watch->callback, edge, BIT(spec->pin));
	ret = manage(spec, &watch->callback, true);
	if (ret == 0) {
		ret = gpio_pin_interrupt_configure_dt(spec, flags[edges]);
		if (ret != 0) {
			(void)manage(spec, &watch->callback, false);
		}
	}
	if (ret != 0) {
		watch->edges = WISP_EDGES_NONE;
	}
	/* A controller without interrupts returns ENOSYS. */
	return wisp_driver_error(ret);
}

#else

uint32_t wisp_shim_gpio_watch(const struct wisp_app *app, uint32_t pin, uint32_t edges)
{
	ARG_UNUSED(edges);

	return (granted(app, pin) == NULL) ? WISP_ENODEV : WISP_ENOTSUP;
}

#endif /* CONFIG_WISP_EVENT */
