/* SPDX-License-Identifier: Apache-2.0 */

/* What the log tells of a trap: numbers for `wisp symbolize`. */

#include <stdlib.h>
#include <string.h>

#include <zephyr/logging/log_backend.h>
#include <zephyr/logging/log_ctrl.h>
#include <zephyr/logging/log_output.h>
#include <zephyr/sys/byteorder.h>
#include <zephyr/ztest.h>

#include "support.h"

ZTEST_SUITE(trap_log, NULL, NULL, NULL, NULL, NULL);

/*
 * The line that is being logged, the last that told of a trap, and the last that named functions.
 */
static char line[256];
static size_t used;
static char told[sizeof(line)];
static char named[128];
/* Lines of floods, and what the log told of dropped ones. */
static atomic_t flooded;
static atomic_t dropped;

static int collect(uint8_t *data, size_t length, void *ctx)
{
	ARG_UNUSED(ctx);
	for (size_t i = 0; i < length; i++) {
		if (data[i] == '\n') {
			line[used] = '\0';
			used = 0;
			if (strstr(line, ": trap ") != NULL) {
				strcpy(told, line);
			} else if (strstr(line, "second: ") != NULL) {
				const char *count = strstr(line, "second: ") + strlen("second: ");

				if (strstr(count, "lines dropped") != NULL) {
					(void)atomic_add(&dropped, atoi(count));
				} else if (strstr(count, "flood") != NULL) {
					(void)atomic_inc(&flooded);
				}
			} else if (strstr(line, "plain: in ") != NULL) {
				strncpy(named, line, sizeof(named) - 1);
			}
		} else if (used < sizeof(line) - 1) {
			line[used++] = (char)data[i];
		}
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
LOG_BACKEND_DEFINE(wisp_trap_lines, api, true);

/* Has what was logged so far processed, until this line is there. */
static void wait_for(const char *expected)
{
	for (int tries = 0; expected[0] == '\0' && tries < 1000; tries++) {
		log_thread_trigger();
		k_sleep(K_MSEC(10));
	}
	TC_PRINT("%s\n", expected);
}

/* The line behind `what` of the next trap that an app tells of. */
static const char *told_of(enum behaviour behaviour, struct wisp_app_status *status,
			   const char *what)
{
	told[0] = '\0';
	*status = behave(&plain, behaviour);
	wait_for(told);
	what = strstr(told, what);
	zassert_not_null(what);
	return what;
}

/* Reads a number and what follows it. */
static unsigned long number(const char **text, int base, const char *behind)
{
	char *end;
	unsigned long value = strtoul(*text, &end, base);

	zassert_true(end != *text && strncmp(end, behind, strlen(behind)) == 0, "%s", *text);
	*text = end + strlen(behind);
	return value;
}

/* A section of an image: where its entry in the section table is, see doc/image-format.md. */
static const uint8_t *section(const struct wisp_image *image, uint16_t kind)
{
	for (size_t i = 0; i < sys_get_le16(image->data + 12); i++) {
		const uint8_t *entry = image->data + 16 + 12 * i;

		if (sys_get_le16(entry) == kind) {
			return entry;
		}
	}
	return NULL;
}

ZTEST(trap_log, test_a_trap_tells_its_image_and_all_its_frames)
{
	static const char words[] = "plain: trap 8 (integer divide by zero), image ";
	const struct wisp_image *image = wisp_image_find("behaviours");
	struct wisp_app_status status;
	const char *text = told_of(TRAP_DEEP, &status, words) + strlen(words);
	const uint8_t *manifest = image->data + sys_get_le32(section(image, 1) + 4);
	uint32_t code = sys_get_le32(section(image, 13) + 8);
	uint32_t functions = sys_get_le32(section(image, 4) + 8) / 8;
	uint32_t before = UINT32_MAX;

	zassert_equal(number(&text, 16, ":"), sys_get_be32(manifest));
	zassert_equal(number(&text, 16, ", at "), code);
	/* innermost, middle, main and the entry, which may have taken in main */
	for (int depth = 0; depth < 3; depth++) {
		uint32_t function = number(&text, 10, "@0x");
		uint32_t offset = number(&text, 16, (depth < 2) ? " < " : "");

		zassert_true(function < functions && function != before);
		zassert_true(offset < code);
		if (depth == 0) {
			zassert_equal(function, status.function);
			zassert_equal(offset, status.offset);
		}
		before = function;
	}
}

ZTEST(trap_log, test_a_deep_stack_is_cut_at_its_outer_end)
{
	struct wisp_app_status status;
	const char *text = told_of(RECURSE, &status, "plain: trap ");

	zassert_not_null(strstr(text, " < ..."));
}

ZTEST(trap_log, test_functions_are_named_only_if_the_image_carries_names)
{
	struct wisp_app_status status;

	named[0] = '\0';
	(void)told_of(TRAP_DEEP, &status, "plain: trap 8");
	k_sleep(K_MSEC(20));
	zassert_equal(named[0], '\0', "%s", named);

	status = run_image(&plain, "named");
	zassert_equal(status.trap, WISP_TRAP_INTEGER_DIVISION_BY_ZERO);
	wait_for(named);
	zassert_not_null(strstr(named, "plain: in divide < work < "));
}

/*
 * Every line is logged or counted, and what is counted is told at the end of the run at the latest.
 */
static void flood(enum behaviour behaviour)
{
	struct wisp_app_usage before;
	struct wisp_app_usage after;
	atomic_val_t lines;

	(void)atomic_clear(&flooded);
	(void)atomic_clear(&dropped);
	wisp_app_usage(SECOND, &before);
	zassert_equal(behave(SECOND, behaviour).state, WISP_APP_EXITED);
	for (int tries = 0; tries < 1000; tries++) {
		log_thread_trigger();
		k_sleep(K_MSEC(10));
		lines = atomic_get(&flooded) + atomic_get(&dropped);
		if (lines >= FLOOD_LINES) {
			break;
		}
	}
	wisp_app_usage(SECOND, &after);
	zassert_equal(lines, FLOOD_LINES, "%d lines, and %d dropped", (int)atomic_get(&flooded),
		      (int)atomic_get(&dropped));
	zassert_equal(after.lines_dropped - before.lines_dropped, atomic_get(&dropped));
	/* log-lines of its node is 2: a run of more than a minute would log them all. */
	zassert_true(atomic_get(&dropped) > 0);
}

ZTEST(trap_log, test_an_app_that_logs_without_end_does_not_flood_the_log)
{
	flood(LOG_FLOOD);
	flood(PRINT_FLOOD);
	flood(ASK_FLOOD);
}
