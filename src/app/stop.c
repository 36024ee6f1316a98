/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Stops an app, from any context. The stop flag of the guest ends computation, and the semaphore
 * ends waiting. rust/fuzz/tests/interleavings.rs compiles this file and tries all interleavings
 * with the app's thread.
 */

#include <errno.h>

#include <zephyr/kernel.h>

#include <wisp/wisp.h>

#include "app/deadline.h"
#include "app/times.h"
#include "border/shim.h"
#include "native/native.h"

/* Longest single wait, well below the range of a 32-bit timeout at any tick rate. */
#define SLICE_US (100 * USEC_PER_SEC)

/* The caller holds the app's lock. */
static void stop_guest(const struct wisp_app *app)
{
	struct wisp_app_data *data = app->data;

	data->stopping = true;
	if (data->stop_flag == NULL) {
		return;
	}
	if (IS_ENABLED(CONFIG_WISP_DEADLINE) && data->expired) {
		wisp_rust_deadline(data->stop_flag);
	} else {
		wisp_rust_interrupt(data->stop_flag);
	}
	wisp_native_stop(app);
}

#ifdef CONFIG_WISP_DEADLINE
void wisp_app_expire(const struct wisp_app *app)
{
	struct wisp_app_data *data = app->data;
	bool stopped = false;

	K_SPINLOCK(&data->lock) {
		if (data->status.state == WISP_APP_RUNNING && !data->stopping) {
			data->expired = true;
			stop_guest(app);
			stopped = true;
		}
	}
	if (stopped) {
		k_sem_give(&data->stop);
	}
}

#endif

int wisp_app_stop(const struct wisp_app *app)
{
	struct wisp_app_data *data = app->data;
	int ret = 0;

	K_SPINLOCK(&data->lock) {
		if (data->status.state != WISP_APP_RUNNING) {
			ret = -EALREADY;
			K_SPINLOCK_BREAK;
		}
		stop_guest(app);
	}
	if (ret == 0) {
		k_sem_give(&data->stop);
	}
	return ret;
}

void wisp_shim_app_stop_flag(const struct wisp_app *app, void *flag)
{
	struct wisp_app_data *data = app->data;

	K_SPINLOCK(&data->lock) {
		data->stop_flag = flag;
		if (flag != NULL && data->stopping) {
			stop_guest(app);
		}
	}
}

void wisp_app_wait(const struct wisp_app *app, struct k_poll_signal *signal, uint64_t us)
{
	struct wisp_app_data *data = app->data;
	struct k_poll_event waits[2];
	int count = 1;

	k_poll_event_init(&waits[0], K_POLL_TYPE_SEM_AVAILABLE, K_POLL_MODE_NOTIFY_ONLY,
			  &data->stop);
	if (signal != NULL) {
		k_poll_event_init(&waits[1], K_POLL_TYPE_SIGNAL, K_POLL_MODE_NOTIFY_ONLY, signal);
		count = 2;
	}
	/* Waiting is no computing. */
	wisp_deadline_pause(app);
	(void)k_poll(waits, count, K_USEC(MIN(us, SLICE_US)));
	wisp_deadline_resume(app);
	wisp_times_woken(app);
	if (!data->stopping) {
		/*
		 * If the semaphore is available, it was given for the last run, too late. Otherwise
		 * every further wait would end at once.
		 */
		(void)k_sem_take(&data->stop, K_NO_WAIT);
	}
}

uint32_t wisp_shim_app_stop_reason(const struct wisp_app *app)
{
	const struct wisp_app_data *data = app->data;

	/* Interrupts and other threads write it while the app's thread reads it repeatedly. */
	if (!*(const volatile bool *)&data->stopping) {
		return 0;
	}
	return IS_ENABLED(CONFIG_WISP_DEADLINE) && data->expired ? WISP_TRAP_DEADLINE_EXCEEDED
								 : WISP_TRAP_INTERRUPTED;
}
