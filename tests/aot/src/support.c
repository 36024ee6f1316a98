/* SPDX-License-Identifier: Apache-2.0 */

#include <string.h>

#include <zephyr/logging/log_backend.h>
#include <zephyr/logging/log_ctrl.h>
#include <zephyr/logging/log_output.h>
#include <zephyr/ztest.h>

#include "support.h"

WISP_APP_DEFINE(app, "app", CONFIG_WISP_MEMORY_SIZE);

atomic_t reports;

static enum task chosen;

static uint32_t task_asked(struct wisp_caller *caller, uint32_t *slots, const void *env)
{
	ARG_UNUSED(caller);
	ARG_UNUSED(env);
	slots[0] = chosen;
	return 0;
}
WISP_HOST_FUNCTION_DEFINE("test", "task", "()i", task_asked);

static uint32_t report(struct wisp_caller *caller, uint32_t *slots, const void *env)
{
	ARG_UNUSED(caller);
	ARG_UNUSED(slots);
	ARG_UNUSED(env);
	atomic_inc(&reports);
	if (IS_ENABLED(CONFIG_ARCH_POSIX)) {
		/* Time passes here only. */
		k_busy_wait(100);
	}
	return 0;
}
WISP_HOST_FUNCTION_DEFINE("test", "report", "(i)", report);

static uint32_t fail(struct wisp_caller *caller, uint32_t *slots, const void *env)
{
	ARG_UNUSED(caller);
	ARG_UNUSED(env);
	return slots[0];
}
WISP_HOST_FUNCTION_DEFINE("test", "fail", "(i)", fail);

void choose(enum task task)
{
	chosen = task;
}

void begin(const char *image, enum task task)
{
	atomic_set(&reports, 0);
	chosen = task;
	zassert_ok(wisp_app_load_embedded(&app, image), "%s", image);
	zassert_ok(wisp_app_start(&app));
}

struct wisp_app_status outcome(void)
{
	struct wisp_app_status status;

	zassert_ok(wisp_app_join(&app, K_SECONDS(120)));
	wisp_app_status(&app, &status);
	return status;
}

struct wisp_app_status run(const char *image, enum task task)
{
	begin(image, task);
	return outcome();
}

struct wisp_app_status run_loaded(enum task task)
{
	chosen = task;
	zassert_ok(wisp_app_start(&app));
	return outcome();
}

/* Keeps the end of what is logged. */
static char logged[1024];
static size_t logged_length;

static int keep(uint8_t *data, size_t length, void *context)
{
	ARG_UNUSED(context);
	for (size_t i = 0; i < length; i++) {
		if (logged_length == sizeof(logged) - 1) {
			memmove(logged, &logged[sizeof(logged) / 2], sizeof(logged) / 2);
			logged_length -= sizeof(logged) / 2;
		}
		logged[logged_length++] = data[i];
	}
	logged[logged_length] = '\0';
	return length;
}

static uint8_t output_buffer[16];
LOG_OUTPUT_DEFINE(keeper_output, keep, output_buffer, sizeof(output_buffer));

static void process(const struct log_backend *const backend, union log_msg_generic *message)
{
	ARG_UNUSED(backend);
	log_output_msg_process(&keeper_output, &message->log, 0);
}

static void no_panic(const struct log_backend *const backend)
{
	ARG_UNUSED(backend);
}

static const struct log_backend_api keeper_api = {.process = process, .panic = no_panic};
LOG_BACKEND_DEFINE(keeper, keeper_api, true);

void forget_log(void)
{
	logged_length = 0;
	logged[0] = '\0';
}

bool was_logged(const char *text)
{
	return strstr(logged, text) != NULL;
}

void told_of_trap(char *text, size_t size)
{
	const char *start = strstr(logged, ", image ");
	size_t length = start ? strcspn(start, "\r\n\x1b") : 0;

	zassert_true(length > 0 && length < size, "%s", logged);
	memcpy(text, start, length);
	text[length] = '\0';
}
