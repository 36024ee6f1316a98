/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Heartbeats. While an app whose node has heartbeat-ms runs, it has a channel of Zephyr's task
 * watchdog. A missed heartbeat ends the app and does not reset the board. The supervisor then
 * decides whether the app is started again.
 */

#include <zephyr/init.h>
#include <zephyr/kernel.h>
#include <zephyr/logging/log.h>
#include <zephyr/task_wdt/task_wdt.h>

#include <wisp/wisp.h>

#include "app/heartbeat.h"

LOG_MODULE_DECLARE(wisp, CONFIG_WISP_LOG_LEVEL);

/* The app has no channel of the watchdog. */
#define NONE -1

/*
 * After a channel has expired, the watchdog ignores all channels until one is fed. That cannot be
 * done in its interrupt.
 */
static void go_on(struct k_work *work)
{
	ARG_UNUSED(work);
	STRUCT_SECTION_FOREACH(wisp_app, app) {
		struct wisp_app_status status;

		if (app->heartbeat_ms != 0 && (app->data->missed || app->data->stopping) &&
		    app->data->watchdog != NONE) {
			(void)task_wdt_feed(app->data->watchdog);
			/* Detects also that the app's thread was aborted by a fault. */
			wisp_app_status(app, &status);
		}
	}
}

static K_WORK_DEFINE(go_on_work, go_on);

static void missed(int channel, void *argument)
{
	const struct wisp_app *app = argument;

	ARG_UNUSED(channel);
	/* An app that has to end needs no heartbeat. */
	if (!app->data->stopping) {
		app->data->missed = true;
		(void)wisp_app_stop(app);
	}
	(void)k_work_submit(&go_on_work);
}

void wisp_heartbeat_begin(const struct wisp_app *app)
{
	app->data->missed = false;
	app->data->watchdog = NONE;
	if (app->heartbeat_ms == 0) {
		return;
	}
	app->data->watchdog = task_wdt_add(app->heartbeat_ms, missed, (void *)app);
	if (app->data->watchdog < 0) {
		app->data->watchdog = NONE;
		LOG_ERR("%s: its heartbeat is not watched: raise CONFIG_TASK_WDT_CHANNELS",
			app->name);
	}
}

void wisp_heartbeat_feed(const struct wisp_app *app)
{
	if (app->data->watchdog != NONE && app->heartbeat_ms != 0 && !app->data->missed) {
		(void)task_wdt_feed(app->data->watchdog);
	}
}

void wisp_heartbeat_end(const struct wisp_app *app)
{
	int channel = app->data->watchdog;

	if (app->heartbeat_ms != 0 && channel != NONE) {
		app->data->watchdog = NONE;
		/* Feeding a channel makes the watchdog supervise the others again. */
		(void)task_wdt_feed(channel);
		(void)task_wdt_delete(channel);
	}
}

#ifdef CONFIG_WISP_HEARTBEAT_INIT

static int heartbeat_init(void)
{
#ifdef CONFIG_TASK_WDT_HW_FALLBACK
	const struct device *hardware = DEVICE_DT_GET_OR_NULL(DT_ALIAS(watchdog0));

	if (hardware != NULL && !device_is_ready(hardware)) {
		hardware = NULL;
	}
#else
	const struct device *hardware = NULL;
#endif
	int ret = task_wdt_init(hardware);

	if (ret != 0) {
		LOG_ERR("the task watchdog was not started: %d", ret);
	}
	return ret;
}

/* Runs before the app storage starts apps. */
SYS_INIT(heartbeat_init, POST_KERNEL, CONFIG_APPLICATION_INIT_PRIORITY);

#endif /* CONFIG_WISP_HEARTBEAT_INIT */
