/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Runs an app's thread that takes events and sleeps, with interrupts that bring events and stop the
 * app. It tries every order that a single core allows. An interrupt comes at any call into the
 * kernel outside of a lock, and runs to its end. (A thread of higher priority that calls the same
 * functions is an interrupt here.) The code is the firmware's own: src/app/stop.c,
 * src/drivers/event.c, src/drivers/input.c, src/border/timer.c. Where the thread is that of the
 * input subsystem, the app closes and opens the device as an interrupt.
 *
 * A choice is a bit. All strings of bits are tried, by depth first.
 */

#include <errno.h>
#include <setjmp.h>
#include <stdio.h>
#include <string.h>

#include <wisp/wisp.h>

#include "app/deadline.h"
#include "app/grants.h"
#include "drivers/event.h"
#include "drivers/input.h"
#include "border/shim.h"

#define CHOICES_MAX 64
#define WAITS_MAX   12

/* What the thread is and does. */
enum thread {
	THREAD_TAKES_EVENTS,
	THREAD_SLEEPS,
	THREAD_REPORTS,
};

/*
 * What the interrupts do, in order: 'e' an event, 's' stop, 'x' the app's time is over, 'd' drop
 * the events. With 'l', a stop of the last run that was preempted gives its semaphore only now.
 * With 'c' the app closes its input device, and with 'o' it opens and watches it.
 */
static const char *script;
static size_t done;

static bool choices[CHOICES_MAX];
static size_t choice_count;
static size_t chosen;

static bool in_interrupt;
/* Number of locks that are held. */
static int locks;
static int64_t now;
static jmp_buf failed;
static const char *failure;

static struct wisp_events events;
static struct device keys;
static struct wisp_input input;
static const struct wisp_input_grant inputs[] = {{"keys", &keys, &input}};
static const struct wisp_grants grants = {.events = &events, .input = inputs, .input_count = 1};
static struct wisp_app_data data;
static const struct wisp_app app = {.name = "model", .data = &data, .grants = &grants};

/* The stop flag as the run has it, and whether anybody may set it. */
static bool flag;
static bool flag_lives;
static bool stopped;

/* Numbers of the events put, taken, told as lost, taken away by drops, and not seen. */
static uint32_t put;
static uint32_t next_expected;
static uint32_t taken;
static uint32_t lost;
static uint32_t dropped;
static uint32_t missing;

/* Semaphores given too late, and waits that they ended. */
static uint32_t late;
static uint32_t ended_by_late;

static void require(bool holds, const char *what)
{
	if (!holds) {
		failure = what;
		longjmp(failed, 1);
	}
}

static bool choose(void)
{
	if (chosen == choice_count) {
		require(choice_count < CHOICES_MAX, "the model has more choices than it can note");
		choices[choice_count++] = false;
	}
	return choices[chosen++];
}

static void interrupt(void)
{
	in_interrupt = true;
	switch (script[done++]) {
	case 'e':
		wisp_events_put(&events, WISP_EVENT_EDGE, 0, (uint8_t)put);
		put++;
		break;
	case 's':
		stopped |= wisp_app_stop(&app) == 0;
		break;
	case 'l':
		late += data.stop.given ? 0 : 1;
		k_sem_give(&data.stop);
		break;
	case 'c':
		wisp_shim_input_close(&app, 0);
		require(events.count == 0, "an event is left of a device that was closed");
		break;
	case 'o':
		wisp_shim_input_open(&app, 0);
		wisp_shim_input_watch(&app, 0, true);
		break;
	case 'x':
		wisp_app_expire(&app);
		stopped |= data.stopping;
		break;
	default:
		/* Those that wait, and what is lost of them, if not told yet. */
		dropped += events.count + events.lost;
		wisp_events_drop(&events, WISP_EVENT_EDGE, 0);
		break;
	}
	in_interrupt = false;
}

/* A place where interrupts may come. */
static void point(void)
{
	while (!in_interrupt && locks == 0 && script[done] != '\0' && choose()) {
		interrupt();
	}
}

void model_lock(struct k_spinlock *lock)
{
	point();
	require(!lock->held, "a lock is taken twice");
	lock->held = true;
	locks++;
}

void model_unlock(struct k_spinlock *lock)
{
	lock->held = false;
	locks--;
	point();
}

int64_t k_uptime_ticks(void)
{
	point();
	return now;
}

void k_yield(void)
{
	point();
}

int k_poll_signal_raise(struct k_poll_signal *signal, int result)
{
	ARG_UNUSED(result);
	signal->raised = true;
	return 0;
}

void k_poll_signal_reset(struct k_poll_signal *signal)
{
	signal->raised = false;
}

int k_poll(struct k_poll_event *waits, int count, k_timeout_t timeout)
{
	point();
	for (;;) {
		for (int i = 0; i < count; i++) {
			if (*waits[i].ready) {
				if (waits[i].ready == &data.stop.given && !data.stopping) {
					ended_by_late++;
				}
				require(ended_by_late <= late,
					"a late stop ends more than one wait");
				point();
				return 0;
			}
		}
		if (script[done] == '\0') {
			break;
		}
		/* The thread waits: whatever comes next is an interrupt. */
		interrupt();
	}
	require(!data.stopping, "a thread waits although it is to stop");
	require(count < 2 || events.count == 0, "a thread waits although there is an event");
	now += timeout.ticks;
	return -EAGAIN;
}

void k_sem_give(struct k_sem *sem)
{
	sem->given = true;
}

int k_sem_take(struct k_sem *sem, k_timeout_t timeout)
{
	struct k_poll_event wait;
	int ret;

	if (timeout.ticks == 0) {
		bool given;

		point();
		given = sem->given;
		sem->given = false;
		return given ? 0 : -EBUSY;
	}
	k_poll_event_init(&wait, K_POLL_TYPE_SEM_AVAILABLE, K_POLL_MODE_NOTIFY_ONLY, sem);
	ret = k_poll(&wait, 1, timeout);
	if (ret == 0) {
		sem->given = false;
	}
	return ret;
}

void wisp_rust_interrupt(void *stop_flag)
{
	require(flag_lives && stop_flag == &flag, "a stop flag is set that nobody has");
	flag = true;
}

void wisp_rust_deadline(void *stop_flag)
{
	require(data.expired, "a deadline stops an app that has not missed it");
	wisp_rust_interrupt(stop_flag);
}

/* The timer of deadlines is not modelled: it may expire at any time. */
void wisp_deadline_pause(const struct wisp_app *paused)
{
	require(paused == &app, "another app blocks");
}

void wisp_deadline_resume(const struct wisp_app *resumed)
{
	require(resumed == &app, "another app goes on");
}

/* The app's thread: begins a run, waits for events or sleeps until all is over, ends it. */
static void run(bool sleeps)
{
	flag = false;
	flag_lives = true;
	wisp_shim_app_stop_flag(&app, &flag);
	for (int waits = 0; waits < WAITS_MAX && !flag; waits++) {
		struct wisp_event event;
		bool before = data.stopping;
		uint32_t answer;

		if (sleeps) {
			answer = wisp_shim_sleep_us(&app, 10) ? WISP_WAIT_STOP : WISP_WAIT_NOTHING;
		} else {
			answer = wisp_shim_event_next(&app, now + 10, &event);
		}
		require(!before || answer == WISP_WAIT_STOP, "an app that is to stop goes on");
		if (answer == WISP_WAIT_EVENT) {
			/* A loss is told with the oldest event there is: at or before the gap. */
			lost += event.lost;
			require(event.value >= next_expected, "an event is out of order");
			missing += event.value - next_expected;
			require(missing <= lost + dropped, "an event is missing, and nobody told");
			next_expected = event.value + 1;
			taken++;
		} else if (answer == WISP_WAIT_STOP) {
			require(data.stopping, "an app stops that was not told to");
			break;
		} else if (script[done] == '\0') {
			break;
		}
		/* Guest code runs here. */
		point();
	}
	require(!stopped || flag, "a stop did not reach the flag");
	wisp_shim_app_stop_flag(&app, NULL);
	flag_lives = false;
}

/* The thread of the input subsystem: reports twice what nobody reads. */
static void report(void)
{
	struct input_event event = {.type = 1, .code = 30};

	wisp_shim_input_open(&app, 0);
	wisp_shim_input_watch(&app, 0, true);
	for (int i = 0; i < 2; i++) {
		wisp_input_report(&event, &input);
	}
	require(events.count == (input.count > 0), "an event is of a device without a report");
}

static void once(enum thread thread)
{
	memset(&events, 0, sizeof(events));
	memset(&input, 0, sizeof(input));
	memset(&data, 0, sizeof(data));
	data.status.state = WISP_APP_RUNNING;
	chosen = 0;
	done = 0;
	now = 0;
	in_interrupt = false;
	locks = 0;
	flag_lives = false;
	stopped = false;
	put = next_expected = taken = lost = dropped = missing = 0;
	late = ended_by_late = 0;
	point();
	if (thread == THREAD_REPORTS) {
		report();
		return;
	}
	run(thread == THREAD_SLEEPS);
	while (script[done] != '\0') {
		interrupt();
	}
	require(put == taken + lost + dropped + events.count + events.lost, "events do not add up");
}

/* Tries all orders. Gives their number, or the negative number of the one that failed. */
int64_t fuzz_interleavings(const char *actions, enum thread thread, const char **what)
{
	int64_t runs = 0;

	script = actions;
	choice_count = 0;
	for (;;) {
		runs++;
		if (setjmp(failed) != 0) {
			*what = failure;
			return -runs;
		}
		once(thread);
		choice_count = chosen;
		/* The next string of bits: the last 0 becomes a 1, what follows is new. */
		while (choice_count > 0 && choices[choice_count - 1]) {
			choice_count--;
		}
		if (choice_count == 0) {
			return runs;
		}
		choices[choice_count - 1] = true;
	}
}
