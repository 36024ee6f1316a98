/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Runs guests of other people's toolchains one after the other, in the memory of one app. With SMALL_APP, the one
 * in C runs in 16 KB.
 */

#include <string.h>

#include <zephyr/kernel.h>
#include <zephyr/sys/printk.h>

#include <wisp/wisp.h>

#define MOST_MEMORY 32768
#define SMALL_MEMORY 16384

#ifdef SMALL_APP
WISP_APP_DEFINE(small, "small", SMALL_MEMORY);
#endif

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
	static const char *const programs[] = {PROGRAMS};

	for (size_t i = 0; i < ARRAY_SIZE(programs); i++) {
#ifdef SMALL_APP
		if (strcmp(programs[i], "in_c") == 0) {
			run(&small, programs[i], SMALL_MEMORY);
			continue;
		}
#endif
		run(large_app(), programs[i], MOST_MEMORY);
	}
	printk("all programs have run\n");
	return 0;
}
