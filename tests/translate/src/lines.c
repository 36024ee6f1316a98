/* SPDX-License-Identifier: Apache-2.0 */

#include <string.h>

#include <zephyr/logging/log_backend.h>
#include <zephyr/logging/log_ctrl.h>
#include <zephyr/logging/log_output.h>
#include <zephyr/kernel.h>

#include "lines.h"

static char lines[1024];
static size_t used;

static int collect(uint8_t *data, size_t length, void *ctx)
{
	ARG_UNUSED(ctx);
	for (size_t i = 0; i < length && used < sizeof(lines) - 1; i++) {
		lines[used++] = (char)data[i];
	}
	return (int)length;
}

static uint8_t piece[16];
LOG_OUTPUT_DEFINE(collector, collect, piece, sizeof(piece));

static void process(const struct log_backend *const backend, union log_msg_generic *msg)
{
	ARG_UNUSED(backend);
	log_output_msg_process(&collector, &msg->log, 0);
}

static void ignore(const struct log_backend *const backend)
{
	ARG_UNUSED(backend);
}

static const struct log_backend_api api = {.process = process, .panic = ignore};
LOG_BACKEND_DEFINE(wisp_lines, api, true);

/* Lets the log's thread process what there is. */
static void settle(void)
{
	log_thread_trigger();
	k_sleep(K_MSEC(10));
}

void lines_clear(void)
{
	while (log_data_pending()) {
		settle();
	}
	memset(lines, 0, sizeof(lines));
	used = 0;
}

const char *lines_behind(const char *words)
{
	for (int tries = 0; tries < 100; tries++) {
		const char *found = strstr(lines, words);

		if (found != NULL && strchr(found, '\n') != NULL) {
			return found + strlen(words);
		}
		settle();
	}
	return NULL;
}
