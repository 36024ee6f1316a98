// SPDX-License-Identifier: Apache-2.0

#include <cstdio>
#include <vector>
#include <wisp.h>

// A pin that the board grants, by its name.
class Output
{
      public:
	explicit Output(const char *name)
	    : handle_(wisp_gpio_open_str(name, WISP_GPIO_OUTPUT_INACTIVE))
	{
	}
	~Output()
	{
		if (handle_ >= 0) {
			wisp_gpio_close(static_cast<uint32_t>(handle_));
		}
	}
	Output(const Output &) = delete;
	Output &operator=(const Output &) = delete;

	bool ok() const
	{
		return handle_ >= 0;
	}
	void toggle() const
	{
		wisp_gpio_toggle(static_cast<uint32_t>(handle_));
	}

      private:
	int32_t handle_;
};

int main()
{
	const std::vector<uint32_t> pauses{500, 500};
	const Output led("led");

	if (!led.ok()) {
		std::fputs("no led\n", stderr);
		return 1;
	}
	std::puts("blinking");
	for (;;) {
		for (uint32_t pause : pauses) {
			led.toggle();
			wisp_timer_sleep_ms(pause);
		}
	}
}
