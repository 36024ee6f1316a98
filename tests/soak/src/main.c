/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Several apps for hours of simulated time, while updates come and apps crash and hang.
 * Run by tests/lifecycle/run.py --soak, which also cuts the power:
 *
 *   zephyr.exe -no-rt --flash=FILE --hours=N [--installed] [--seed=N]
 *
 * The last line is "soak: passed" if all went well.
 */

#include <stdarg.h>

#include <zephyr/kernel.h>
#include <zephyr/sys/printk.h>
#include <zephyr/sys/sys_heap.h>
#include <zephyr/sys/util.h>

#include <cmdline.h>
#include <nsi_main.h>
#include <posix_native_task.h>

#include <wisp/channel.h>
#include <wisp/storage.h>
#include <wisp/wisp.h>

#include "soak.h"

static uint32_t hours = 1;
static uint32_t seed = 1;
static bool installed;

static void add_options(void)
{
	static struct args_struct_t options[] = {
		{.option = "hours",
		 .name = "hours",
		 .type = 'u',
		 .dest = &hours,
		 .descript = "Simulated hours"},
		{.option = "seed",
		 .name = "number",
		 .type = 'u',
		 .dest = &seed,
		 .descript = "Where the steps begin"},
		{.is_switch = true,
		 .option = "installed",
		 .type = 'b',
		 .dest = &installed,
		 .descript = "The apps are there already, or they were lost"},
		ARG_TABLE_ENDMARKER,
	};

	native_add_command_line_opts(options);
}

NATIVE_TASK(add_options, PRE_BOOT_1, 1);

void soak_fail(const char *file, int line, const char *condition, const char *format, ...)
{
	va_list arguments;

	printk("soak: FAILED after %lld s at %s:%d: %s: ", k_uptime_get() / MSEC_PER_SEC, file,
	       line, condition);
	va_start(arguments, format);
	vprintk(format, arguments);
	va_end(arguments);
	printk("\n");
	nsi_exit(1);
}

/* Everything that could leak. */
struct holdings {
	size_t heap_now;
	size_t heap_most;
	uint32_t free_blocks;
	uint32_t arena;
	uint32_t memory;
};

static struct holdings take_stock(void)
{
	struct holdings held = {0};
	struct wisp_store_stat stat;
	struct k_heap *heaps;
	int count = k_heap_array_get(&heaps);
	int ret = wisp_store_stat(&stat);

	CHECK(ret == 0, "no figures of the store: %d", ret);
	held.free_blocks = stat.free;
	for (int i = 0; i < count; i++) {
		struct sys_memory_stats figures;

		CHECK(sys_heap_runtime_stats_get(&heaps[i].heap, &figures) == 0, "no heap figures");
		held.heap_now += figures.allocated_bytes;
		held.heap_most += figures.max_allocated_bytes;
	}
	STRUCT_SECTION_FOREACH(wisp_app, app) {
		struct wisp_app_usage usage;

		wisp_app_usage(app, &usage);
		held.arena += usage.arena;
		held.memory += usage.memory;
	}
	return held;
}

static void show(const char *when, const struct holdings *held)
{
	struct wisp_store_stat stat;
	struct wisp_channel_stat level;

	(void)wisp_store_stat(&stat);
	wisp_channel_stat(WISP_CHANNEL_DT_GET(DT_NODELABEL(level)), &level);
	printk("soak: %s: heap %zu bytes now, %zu at most; %u blocks free; arenas %u bytes; "
	       "linear memories %u; erases %u to %u, journal %u; messages %u, lost %u; failed runs "
	       "%u\n",
	       when, held->heap_now, held->heap_most, held->free_blocks, held->arena, held->memory,
	       stat.wear_least, stat.wear_most, stat.journal_wear, level.delivered, level.lost,
	       wisp_failure_count());
}

int main(void)
{
	struct holdings first;
	struct holdings last;
	int64_t end;
	uint32_t step = seed;
	uint32_t steps = 0;

	if (installed) {
		(void)wisp_store_abort();
		/* An update on trial when the power went is tried again, and decided. */
		k_sleep(K_SECONDS(30));
	} else {
		soak_setup();
	}
	soak_check_apps();
	/* One of each, then the figures are what they must stay. */
	for (int i = 0; i < 6; i++) {
		soak_step(step++);
		soak_check_apps();
	}
	k_sleep(K_SECONDS(300));
	soak_check_apps();
	first = take_stock();
	show("begins", &first);

	end = k_uptime_get() + (int64_t)hours * 3600 * MSEC_PER_SEC;
	while (k_uptime_get() < end) {
		k_sleep(K_SECONDS(60));
		soak_step(step++);
		soak_check_apps();
		steps++;
	}
	last = take_stock();
	show("ends", &last);
	CHECK(last.heap_now == first.heap_now, "the heap holds more");
	CHECK(last.heap_most == first.heap_most, "the heap held more");
	CHECK(last.free_blocks == first.free_blocks, "blocks are lost");
	CHECK(last.arena == first.arena, "apps use more of their arenas");
	CHECK(last.memory == first.memory, "apps use more linear memory");
	printk("soak: %u h, %u steps: %u updates, %u crashing and %u silent ones rolled back, "
	       "%u visits, %u uploads given up, %u damaged ones refused; %u runs failed\n",
	       hours, steps, soak_counts.updates, soak_counts.crashes_rolled_back,
	       soak_counts.silences_rolled_back, soak_counts.visits, soak_counts.aborted,
	       soak_counts.damaged, wisp_failure_count());
	printk("soak: passed\n");
	nsi_exit(0);
	return 0;
}
