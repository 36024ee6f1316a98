/* SPDX-License-Identifier: Apache-2.0 */

#include <string.h>

#include <zephyr/kernel.h>
#include <zephyr/logging/log.h>
#include <zephyr/sys/printk.h>
#include <zephyr/sys/util.h>

#include <wisp/wisp.h>

#include "app/grants.h"
#include "app/rate.h"
#include "border/shim.h"

/* The lines of apps are a log module of their own, so that their level can be set separately. */
LOG_MODULE_REGISTER(wisp_app, CONFIG_WISP_APP_LOG_LEVEL);

/* Longest text that is logged at once, in bytes of the app's stack. */
#define PIECE 100

static void log_piece(uint32_t level, const char *name, const char *text)
{
	switch (level) {
	case LOG_LEVEL_ERR:
		LOG_ERR("%s: %s", name, text);
		break;
	case LOG_LEVEL_WRN:
		LOG_WRN("%s: %s", name, text);
		break;
	case LOG_LEVEL_INF:
		LOG_INF("%s: %s", name, text);
		break;
	default:
		LOG_DBG("%s: %s", name, text);
		break;
	}
}

static uint32_t lines_per_second(const struct wisp_app *app)
{
	return (app->grants == NULL) ? CONFIG_WISP_LOG_LINES : app->grants->log_lines;
}

static void log_dropped(const struct wisp_app *app)
{
	uint32_t dropped = app->data->log_dropped;

	if (dropped != 0) {
		app->data->log_dropped = 0;
		LOG_WRN("%s: %u lines dropped: more than %u in a second", wisp_app_name(app),
			(unsigned int)dropped, (unsigned int)lines_per_second(app));
	}
}

/* Returns false if the app has reached its limit of lines. */
static bool may_log(const struct wisp_app *app)
{
	const struct wisp_rate_limit limit = {
		.budget = lines_per_second(app),
		.period_ms = MSEC_PER_SEC,
	};
	struct wisp_app_data *data = app->data;

	if (!wisp_rate_take(&data->log_rate, &limit, k_uptime_get(), 1)) {
		data->log_dropped++;
		data->most.lines_dropped++;
		return false;
	}
	log_dropped(app);
	return true;
}

void wisp_log_end(const struct wisp_app *app)
{
	log_dropped(app);
}

static void log_pieces(uint32_t level, const char *name, const char *text, size_t length)
{
	char piece[PIECE + 1];

	do {
		size_t part = MIN(length, PIECE);

		/* Do not split a UTF-8 character. */
		while (part < length && part > PIECE - 3 && (text[part] & 0xc0) == 0x80) {
			part--;
		}
		memcpy(piece, text, part);
		piece[part] = '\0';
		log_piece(level, name, piece);
		text += part;
		length -= part;
	} while (length > 0);
}

void wisp_shim_log(const struct wisp_app *app, uint32_t level, const char *text, size_t length)
{
	/*
	 * A guest can cause these lines of the runtime at will, so they count as lines of the app.
	 */
	if (level != LOG_LEVEL_ERR && !may_log(app)) {
		return;
	}
	log_pieces(level, wisp_app_name(app), text, length);
}

uint32_t wisp_shim_app_log_level(void)
{
	return COND_CODE_1(CONFIG_LOG, (CONFIG_WISP_APP_LOG_LEVEL), (0));
}

void wisp_shim_app_log(const struct wisp_app *app, uint32_t level, const uint8_t *text,
		       size_t length)
{
	/* Lines below the log level take no time and do not count. */
	if (level <= wisp_shim_app_log_level() && may_log(app)) {
		log_pieces(level, wisp_app_name(app), (const char *)text, length);
	}
}

void wisp_shim_app_output(const struct wisp_app *app, bool error, const uint8_t *text,
			  size_t length)
{
	if (!may_log(app)) {
		return;
	}
	if (IS_ENABLED(CONFIG_WISP_STDIO_LOG)) {
		log_pieces(error ? LOG_LEVEL_WRN : LOG_LEVEL_INF, wisp_app_name(app),
			   (const char *)text, length);
		return;
	}
	printk("%s: ", wisp_app_name(app));
	for (size_t i = 0; i < length; i++) {
		printk("%c", text[i]);
	}
	printk("\n");
}

const char *wisp_trap_text(enum wisp_trap trap)
{
	static const char *const texts[] = {
		[WISP_TRAP_NONE] = "none",
		[WISP_TRAP_UNREACHABLE] = "unreachable",
		[WISP_TRAP_MEMORY_OUT_OF_BOUNDS] = "out of bounds memory access",
		[WISP_TRAP_BEYOND_TRIMMED_MEMORY] = "access beyond the trimmed memory",
		[WISP_TRAP_TABLE_OUT_OF_BOUNDS] = "out of bounds table access",
		[WISP_TRAP_INDIRECT_CALL_TO_NULL] = "uninitialized element",
		[WISP_TRAP_BAD_SIGNATURE] = "indirect call type mismatch",
		[WISP_TRAP_INTEGER_OVERFLOW] = "integer overflow",
		[WISP_TRAP_INTEGER_DIVISION_BY_ZERO] = "integer divide by zero",
		[WISP_TRAP_BAD_CONVERSION_TO_INTEGER] = "invalid conversion to integer",
		[WISP_TRAP_STACK_OVERFLOW] = "call stack exhausted",
		[WISP_TRAP_OUT_OF_FUEL] = "out of fuel",
		[WISP_TRAP_INTERRUPTED] = "interrupted",
		[WISP_TRAP_DEADLINE_EXCEEDED] = "deadline exceeded",
		[WISP_TRAP_HOST_ERROR] = "a host function failed",
		[WISP_TRAP_EXIT] = "exit",
		[WISP_TRAP_CALL_DEPTH_EXCEEDED] = "call depth exceeded",
		[WISP_TRAP_NESTING_EXCEEDED] = "host and guest nested too deep",
		[WISP_TRAP_MEMORY_PROTECTION] = "memory protection",
		[WISP_TRAP_TOO_MANY_REFERENCES] = "too many references",
	};

	if ((unsigned int)trap >= ARRAY_SIZE(texts) || texts[trap] == NULL) {
		return "unknown";
	}
	return texts[trap];
}
