/* SPDX-License-Identifier: Apache-2.0 */

/* Uses every granted pin, reports what it reads, and leaves an output active when it ends. */

#include <stdint.h>
#include <wisp.h>

__attribute__((import_module("test"), import_name("report"))) void report(uint64_t value);
__attribute__((import_module("test"), import_name("look"))) void look(void);

int main(void)
{
	int32_t high = wisp_gpio_open_str("high", WISP_GPIO_OUTPUT_INACTIVE);
	int32_t low = wisp_gpio_open_str("low", WISP_GPIO_OUTPUT_ACTIVE);
	int32_t button = wisp_gpio_open_str("button", WISP_GPIO_INPUT);

	/* Another app's pin, a prefix of a granted name, and nothing at all. */
	report((uint64_t)wisp_gpio_open_str("other", WISP_GPIO_INPUT));
	report((uint64_t)wisp_gpio_open_str("hig", WISP_GPIO_INPUT));
	report((uint64_t)wisp_gpio_open_str("", WISP_GPIO_INPUT));
	/* Handles that were never given. */
	report((uint64_t)wisp_gpio_set_active(31));
	report((uint64_t)wisp_gpio_set_active(0xffffffff));
	/* An input cannot be driven. */
	report((uint64_t)wisp_gpio_set_active((uint32_t)button));

	wisp_gpio_set_active((uint32_t)high);
	wisp_gpio_toggle((uint32_t)low);
	look();
	report((uint64_t)wisp_gpio_is_active((uint32_t)button));
	wisp_gpio_toggle((uint32_t)low);
	look();
	report((uint64_t)wisp_gpio_is_active((uint32_t)button));
	return 0;
}
