/* SPDX-License-Identifier: Apache-2.0 */

/* Runs guests of other people's toolchains one after the other, in the memory of one app. */

#include <zephyr/kernel.h>
#include <zephyr/sys/printk.h>

#include <wisp/wisp.h>

#define MOST_MEMORY 32768

WISP_APP_DEFINE(small, "small", 16384);

/* Defined in C++, with MOST_MEMORY bytes of linear memory. */
const struct wisp_app *large_app(void);

static void run(const struct wisp_app *app, const char *name, uint32_t memory)
{
	struct wisp_app_status status;
	int ret = wisp_app_load_embedded(app, name);

	if (ret == 0) {
		ret = wisp_app_start(app);
	}
	if (ret == 0) {
		ret = wisp_app_join(app, K_SECONDS(60));
	}
	if (ret != 0) {
		printk("%s: error %d\n", name, ret);
		return;
	}
	wisp_app_status(app, &status);
	if (status.state == WISP_APP_EXITED) {
		printk("%s: status %d", name, (int)status.exit_status);
	} else {
		printk("%s: failed", name);
	}
	printk(", %u bytes of linear memory, at most %u\n", status.memory_used, memory);
}

int main(void)
{
	run(&small, "in_c", 16384);
	run(large_app(), "in_cpp", MOST_MEMORY);
	run(large_app(), "in_rust", MOST_MEMORY);
	run(large_app(), "in_assemblyscript", MOST_MEMORY);
	printk("all programs have run\n");
	return 0;
}
