/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The debugger on the device: at most one app is debugged at a time. The app's thread stops in
 * front of a step and waits. Meanwhile the thread of the management interface reads its frames and
 * memory. Breakpoints change only while the app is held.
 */

#include <zephyr/kernel.h>
#include <zephyr/logging/log.h>
#include <zephyr/sys/byteorder.h>
#include <zephyr/sys/util.h>

#include <wisp/wisp.h>

#include "app/deadline.h"
#include "app/debug.h"
#include "app/heartbeat.h"
#include "border/shim.h"

LOG_MODULE_DECLARE(wisp, CONFIG_WISP_LOG_LEVEL);

/* Longest time between two checks whether the workstation still sends requests. */
#define LOOK_US (100 * USEC_PER_MSEC)

/* Protects everything below but what the app's thread reads at each step. */
static K_MUTEX_DEFINE(lock);
static struct k_poll_signal go = K_POLL_SIGNAL_INITIALIZER(go);

static struct {
	/* The app that is debugged, or NULL. */
	const struct wisp_app *volatile app;
	/* The guest that is held, or NULL. */
	const void *volatile view;
	uint32_t reason;
	/* Uptime in milliseconds of the last request. */
	int64_t heard;
	uint32_t breakpoints[CONFIG_WISP_DEBUG_BREAKPOINTS];
	uint8_t count;
	/* Number of the last stop. */
	uint8_t stop;
	volatile bool pause;
	bool step;
	/* The run that was debugged has ended like this. */
	bool ended;
	uint32_t trap;
	int32_t exit_status;
} session;

static bool may_go(void)
{
	unsigned int raised;
	int result;

	k_poll_signal_check(&go, &raised, &result);
	return raised != 0;
}

/* The app whose guest is the view, also after it was released, or NULL. */
static const struct wisp_app *held;

/* Returns true if the guest of the app is held and was not released. */
static bool is_held(const struct wisp_app *app)
{
	return held == app && !may_go();
}

void wisp_shim_debug_begin(const struct wisp_app *app, bool steps)
{
	app->data->has_steps = steps;
}

uint32_t wisp_shim_debug_reason(const struct wisp_app *app, uint32_t offset)
{
	if (session.app != app || session.ended) {
		return WISP_DEBUG_GO_ON;
	}
	for (size_t i = 0; i < session.count; i++) {
		if (session.breakpoints[i] == offset) {
			return WISP_DEBUG_BREAKPOINT;
		}
	}
	if (session.step) {
		return WISP_DEBUG_STEPPED;
	}
	return session.pause ? WISP_DEBUG_ASKED : WISP_DEBUG_GO_ON;
}

/* Ends the debugging. An app that is held goes on. The caller holds the lock. */
static void detach(void)
{
	session.app = NULL;
	session.count = 0;
	session.step = false;
	session.pause = false;
	(void)k_poll_signal_raise(&go, 0);
}

/* Detaches if the workstation has sent no request for too long. */
static void detach_if_silent(const struct wisp_app *app)
{
	bool silent;

	k_mutex_lock(&lock, K_FOREVER);
	silent = session.app == app &&
		 k_uptime_get() - session.heard > CONFIG_WISP_DEBUG_SECONDS * MSEC_PER_SEC;
	if (silent) {
		detach();
	}
	k_mutex_unlock(&lock);
	/* This is the app's thread, and logging takes stack: a fault must not hold the lock. */
	if (silent) {
		LOG_WRN("%s: goes on, because its debugger was silent for %d s", app->name,
			CONFIG_WISP_DEBUG_SECONDS);
	}
}

void wisp_shim_debug_hold(const struct wisp_app *app, const void *view, uint32_t reason)
{
	k_mutex_lock(&lock, K_FOREVER);
	if (session.app != app || session.ended) {
		k_mutex_unlock(&lock);
		return;
	}
	k_poll_signal_reset(&go);
	session.view = view;
	held = app;
	session.reason = reason;
	session.stop++;
	session.pause = false;
	session.step = false;
	k_mutex_unlock(&lock);
	/* An app that is held sends no heartbeat, and wisp_app_wait() counts no time. */
	wisp_heartbeat_end(app);
	/* Another app may have been held since this one was released. */
	while (!app->data->stopping && session.view == view && !may_go()) {
		wisp_app_wait(app, &go, LOOK_US);
		detach_if_silent(app);
	}
	k_mutex_lock(&lock, K_FOREVER);
	if (session.view == view) {
		session.view = NULL;
		held = NULL;
	}
	k_mutex_unlock(&lock);
	if (!app->data->stopping) {
		wisp_heartbeat_begin(app);
	}
}

void wisp_debug_end(const struct wisp_app *app, const struct wisp_app_status *status)
{
	k_mutex_lock(&lock, K_FOREVER);
	if (held == app) {
		/* The thread ended by a fault where it waited. Its stack is used again. */
		session.view = NULL;
		held = NULL;
		k_poll_signal_init(&go);
	}
	if (session.app == app) {
		session.ended = true;
		session.trap =
			status->state == WISP_APP_STOPPED ? WISP_TRAP_INTERRUPTED : status->trap;
		session.exit_status =
			status->state == WISP_APP_FAILED ? status->error : status->exit_status;
	}
	k_mutex_unlock(&lock);
}

static bool is_running(const struct wisp_app *app)
{
	struct wisp_app_status status;

	wisp_app_status(app, &status);
	return status.state == WISP_APP_RUNNING;
}

/* Returns true if the workstation that debugs another app sent a request recently. */
static bool is_busy(const struct wisp_app *app)
{
	return session.app != NULL && session.app != app &&
	       k_uptime_get() - session.heard <= CONFIG_WISP_DEBUG_SECONDS * MSEC_PER_SEC;
}

static uint8_t attach(const struct wisp_app *app)
{
	if (is_busy(app)) {
		return WISP_DEBUG_BUSY;
	}
	if (is_running(app) && !app->data->has_steps) {
		return WISP_DEBUG_NO_STEPS;
	}
	if (session.app != app) {
		detach();
	}
	session.ended = false;
	session.pause = !is_held(app);
	session.app = app;
	return WISP_DEBUG_OK;
}

static size_t state(const struct wisp_app *app, uint8_t *answer)
{
	uint32_t wasm;
	uint32_t code;

	if (session.ended) {
		answer[0] = WISP_DEBUG_ENDED;
		sys_put_le32(session.trap, &answer[1]);
		sys_put_le32(session.exit_status, &answer[5]);
		return 9;
	}
	if (is_held(app)) {
		wisp_rust_debug_image(session.view, &wasm, &code);
		answer[0] = WISP_DEBUG_HELD;
		answer[1] = session.stop;
		sys_put_le32(session.reason, &answer[2]);
		sys_put_le32(wasm, &answer[6]);
		sys_put_le32(code, &answer[10]);
		return 14;
	}
	answer[0] = is_running(app) ? WISP_DEBUG_RUNNING : WISP_DEBUG_WAITING;
	return 1;
}

static uint8_t go_on(const struct wisp_app *app, const uint8_t *parameters, size_t length)
{
	if (length < 2 || (length - 2) % sizeof(uint32_t) != 0) {
		return WISP_DEBUG_MALFORMED;
	}
	if ((length - 2) / sizeof(uint32_t) > ARRAY_SIZE(session.breakpoints)) {
		return WISP_DEBUG_TOO_MANY;
	}
	/* The answer to a request that comes again may have been lost. */
	if (!is_held(app) || parameters[0] != session.stop) {
		return WISP_DEBUG_OK;
	}
	session.step = parameters[1] != 0;
	session.count = (length - 2) / sizeof(uint32_t);
	for (size_t i = 0; i < session.count; i++) {
		session.breakpoints[i] = sys_get_le32(&parameters[2 + i * sizeof(uint32_t)]);
	}
	(void)k_poll_signal_raise(&go, 0);
	return WISP_DEBUG_OK;
}

/* As wisp_debug_request(). The caller holds the lock. */
static size_t handle(const struct wisp_app *app, const uint8_t *request, size_t length,
		     uint8_t *answer)
{
	answer[0] = WISP_DEBUG_OK;
	if (length == 0) {
		answer[0] = WISP_DEBUG_MALFORMED;
		return 1;
	}
	if (request[0] == WISP_DEBUG_ATTACH) {
		answer[0] = attach(app);
	} else if (session.app != app) {
		answer[0] = WISP_DEBUG_NOT_ATTACHED;
	}
	if (answer[0] != WISP_DEBUG_OK) {
		return 1;
	}
	session.heard = k_uptime_get();
	switch (request[0]) {
	case WISP_DEBUG_ATTACH:
		break;
	case WISP_DEBUG_DETACH:
		detach();
		break;
	case WISP_DEBUG_STATE:
		if (!session.ended && is_running(app) && !app->data->has_steps) {
			answer[0] = WISP_DEBUG_NO_STEPS;
			return 1;
		}
		return 1 + state(app, &answer[1]);
	case WISP_DEBUG_PAUSE:
		session.pause = !is_held(app);
		break;
	case WISP_DEBUG_GO:
		answer[0] = go_on(app, &request[1], length - 1);
		break;
	case WISP_DEBUG_KILL:
		(void)wisp_app_stop(app);
		break;
	default:
		if (!is_held(app)) {
			answer[0] = WISP_DEBUG_NOT_HELD;
			break;
		}
		return wisp_rust_debug_look(session.view, request, length, answer);
	}
	return 1;
}

size_t wisp_debug_request(const struct wisp_app *app, const uint8_t *request, size_t length,
			  uint8_t *answer)
{
	size_t size;

	k_mutex_lock(&lock, K_FOREVER);
	size = handle(app, request, length, answer);
	k_mutex_unlock(&lock);
	return size;
}
