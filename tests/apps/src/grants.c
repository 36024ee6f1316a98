/* SPDX-License-Identifier: Apache-2.0 */

/* Pins granted in devicetree, and pins that are not. */

#include <zephyr/drivers/gpio/gpio_emul.h>
#include <zephyr/ztest.h>

#include "support.h"

ZTEST_SUITE(grants, NULL, NULL, NULL, NULL, NULL);

#define HIGH   4
#define LOW    5
#define BUTTON 6

/* The guest ABI's numbers, which are not those of every libc. */
#define ABI_EPERM  1
#define ABI_EBADF  9
#define ABI_EACCES 13

static const struct device *const port = DEVICE_DT_GET(DT_NODELABEL(test_port));
static int seen[2][2];
static int looks;

/* Called by the guest when it has set its outputs: notes them, then presses the button. */
static uint32_t look(struct wisp_caller *caller, uint32_t *slots, const void *env)
{
	ARG_UNUSED(caller);
	ARG_UNUSED(slots);
	ARG_UNUSED(env);
	if (looks < ARRAY_SIZE(seen)) {
		seen[looks][0] = gpio_emul_output_get(port, HIGH);
		seen[looks][1] = gpio_emul_output_get(port, LOW);
	}
	/* Active low: pressed at the first look, released at the second. */
	(void)gpio_emul_input_set(port, BUTTON, looks);
	looks++;
	return 0;
}
WISP_HOST_FUNCTION_DEFINE("test", "look", "()", look);

static void run_pins(const struct wisp_app *app)
{
	looks = 0;
	atomic_set(&report_count, 0);
	zassert_equal(run_image(app, "pins").state, WISP_APP_EXITED);
}

ZTEST(grants, test_granted_pins_follow_the_guest)
{
	run_pins(FIRST);
	zassert_equal(looks, 2);
	/* `high` active is 1. `low` began active (0) and was toggled to inactive (1). */
	zassert_equal(seen[0][0], 1);
	zassert_equal(seen[0][1], 1);
	/* Toggled back. */
	zassert_equal(seen[1][1], 0);
	/* The button, active low. */
	zassert_equal(reported[6], 1);
	zassert_equal(reported[7], 0);
}

ZTEST(grants, test_what_was_not_granted_is_denied)
{
	run_pins(FIRST);
	for (int i = 0; i < 3; i++) {
		zassert_equal((int32_t)reported[i], -ABI_EACCES, "open %d", i);
	}
}

ZTEST(grants, test_handles_that_were_never_given_are_refused)
{
	run_pins(FIRST);
	zassert_equal((int32_t)reported[3], -ABI_EBADF);
	zassert_equal((int32_t)reported[4], -ABI_EBADF);
	zassert_equal((int32_t)reported[5], -ABI_EPERM);
}

ZTEST(grants, test_outputs_are_inactive_when_the_app_has_ended)
{
	gpio_flags_t flags;

	run_pins(FIRST);
	/* The guest ended with both active. */
	zassert_ok(gpio_pin_get_config(port, HIGH, &flags));
	zassert_false(flags & GPIO_OUTPUT);
	zassert_ok(gpio_pin_get_config(port, LOW, &flags));
	zassert_false(flags & GPIO_OUTPUT);
}

ZTEST(grants, test_another_app_gets_none_of_these_pins)
{
	gpio_flags_t flags;

	zassert_ok(gpio_pin_configure(port, HIGH, GPIO_INPUT));
	run_pins(SECOND);
	/* `other` is its own. The names of the first app's pins are nothing here. */
	zassert_true((int32_t)reported[0] >= 0);
	zassert_ok(gpio_pin_get_config(port, HIGH, &flags));
	zassert_true(flags & GPIO_INPUT);
	zassert_false(flags & GPIO_OUTPUT);
}

ZTEST(grants, test_an_app_without_node_has_no_pins)
{
	run_pins(&plain);
	for (int i = 0; i < 3; i++) {
		zassert_equal((int32_t)reported[i], -ABI_EACCES, "open %d", i);
	}
}
