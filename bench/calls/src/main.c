/* SPDX-License-Identifier: Apache-2.0 */

/* Prints cycles. The script scripts/peripherals.py makes instructions and tables of them. */

#include <zephyr/drivers/gpio/gpio_emul.h>
#include <zephyr/fff.h>
#include <zephyr/kernel.h>
#include <zephyr/settings/settings.h>
#include <zephyr/sys/printk.h>

#include <wisp/host_function.h>
#include <wisp/wisp.h>

#include "clock.h"

DEFINE_FFF_GLOBALS;

#define FIRST  WISP_APP_DT_GET(DT_PATH(wisp_apps, first))
#define SECOND WISP_APP_DT_GET(DT_PATH(wisp_apps, second))
#define EDGES  100

static uint32_t began;
static uint32_t fired;
static uint32_t latency;
static uint32_t edges;
static K_SEM_DEFINE(heard, 0, 1);

static uint32_t begin(struct wisp_caller *caller, uint32_t *slots, const void *env)
{
	ARG_UNUSED(caller);
	ARG_UNUSED(slots);
	ARG_UNUSED(env);
	began = now();
	return 0;
}
WISP_HOST_FUNCTION_DEFINE("bench:clock@1", "begin", "()", begin);

static uint32_t end(struct wisp_caller *caller, uint32_t *slots, const void *env)
{
	uint32_t ended = now();

	ARG_UNUSED(env);
	printk("guest %u %u %.*s\n", slots[2], ended - began, (int)slots[1],
	       (const char *)wisp_caller_memory(caller, slots[0], slots[1]));
	return 0;
}
WISP_HOST_FUNCTION_DEFINE("bench:clock@1", "end", "(*~i)", end);

static uint32_t nothing(struct wisp_caller *caller, uint32_t *slots, const void *env)
{
	ARG_UNUSED(caller);
	ARG_UNUSED(env);
	slots[0] = 0;
	return 0;
}
WISP_HOST_FUNCTION_DEFINE("bench:clock@1", "nothing", "()i", nothing);

/* The guest fills its memory with this. */
static uint32_t filler;

static uint32_t fill(struct wisp_caller *caller, uint32_t *slots, const void *env)
{
	ARG_UNUSED(caller);
	ARG_UNUSED(env);
	slots[0] = filler;
	return 0;
}
WISP_HOST_FUNCTION_DEFINE("bench:clock@1", "fill", "()i", fill);

static uint32_t woken(struct wisp_caller *caller, uint32_t *slots, const void *env)
{
	ARG_UNUSED(caller);
	ARG_UNUSED(slots);
	ARG_UNUSED(env);
	latency += now() - fired;
	edges++;
	k_sem_give(&heard);
	return 0;
}
WISP_HOST_FUNCTION_DEFINE("bench:clock@1", "woken", "()", woken);

/* The interrupt in which the pin changes. */
static void fire(struct k_timer *timer)
{
	const struct device *port = DEVICE_DT_GET(DT_NODELABEL(port));

	ARG_UNUSED(timer);
	fired = now();
	(void)gpio_emul_input_set(port, 1, 1);
}
static K_TIMER_DEFINE(pulse, fire, NULL);

static void run(const struct wisp_app *app, const char *image)
{
	if (wisp_app_load_embedded(app, image) != 0 || wisp_app_start(app) != 0) {
		printk("failed %s\n", image);
	}
}

static void measure_calls(void)
{
	struct wisp_app_status status;

	run(FIRST, "calls");
	(void)wisp_app_join(FIRST, K_FOREVER);
	wisp_app_status(FIRST, &status);
	if (status.state != WISP_APP_EXITED || status.exit_status != 0) {
		printk("failed calls: state %d, status %d\n", status.state, status.exit_status);
	}
}

static void measure_latency(void)
{
	run(FIRST, "edges");
	k_msleep(10);
	for (int i = 0; i < EDGES; i++) {
		(void)gpio_emul_input_set(DEVICE_DT_GET(DT_NODELABEL(port)), 1, 0);
		k_timer_start(&pulse, K_MSEC(2), K_NO_WAIT);
		if (k_sem_take(&heard, K_SECONDS(1)) != 0) {
			printk("failed edges\n");
		}
	}
	printk("edges %u %u\n", edges, latency);
	(void)wisp_app_stop(FIRST);
	(void)wisp_app_join(FIRST, K_FOREVER);
}

/* Core dumps of an app with few bytes that are not zero, and with many. */
static void measure_dumps(void)
{
	for (filler = 0; filler <= 1; filler++) {
		run(SECOND, "traps");
		(void)wisp_app_join(SECOND, K_FOREVER);
	}
}

/* One second in which both apps wait. */
static void measure_idle(void)
{
	k_thread_runtime_stats_t before;
	k_thread_runtime_stats_t after;
	k_thread_runtime_stats_t app_before;
	k_thread_runtime_stats_t app_after;
	uint32_t start;

	run(FIRST, "waits");
	run(SECOND, "waits");
	k_msleep(20);
	(void)k_thread_runtime_stats_get(&FIRST->data->thread, &app_before);
	(void)k_thread_runtime_stats_all_get(&before);
	start = now();
	k_msleep(1000);
	(void)k_thread_runtime_stats_all_get(&after);
	(void)k_thread_runtime_stats_get(&FIRST->data->thread, &app_after);
	printk("idle total %u idle %u app %u\n", now() - start,
	       (uint32_t)(after.idle_cycles - before.idle_cycles),
	       (uint32_t)(app_after.execution_cycles - app_before.execution_cycles));
}

int main(void)
{
	if (settings_subsys_init() != 0) {
		printk("failed settings\n");
	}
	calibrate();
	measure_direct();
	measure_calls();
	measure_latency();
	measure_idle();
	if (IS_ENABLED(CONFIG_WISP_CORE_DUMP)) {
		(void)wisp_app_stop(SECOND);
		(void)wisp_app_join(SECOND, K_FOREVER);
		measure_dumps();
	}
	printk("bench done\n");
	return 0;
}
