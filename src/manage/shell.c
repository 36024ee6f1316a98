/* SPDX-License-Identifier: Apache-2.0 */

/* Shell commands: wisp list, info, start and so on. */

#include <string.h>

#include <zephyr/kernel.h>
#include <zephyr/shell/shell.h>

#ifdef CONFIG_WISP_DDI
#include <wisp/ddi.h>
#endif
#include <wisp/storage.h>
#include <wisp/wisp.h>

#include "app/shown.h"
#include "storage/describe.h"

static int done(const struct shell *sh, const char *name, int error)
{
	size_t length;
	const char *words;

	if (error == 0) {
		return 0;
	}
	words = wisp_store_words(error, &length);
	shell_error(sh, "%s: %.*s", name, (int)length, words);
	return -ENOEXEC;
}

/* Returns what is said behind the state of an app whose functions have translated code. */
static const char *tier_of(const char *name)
{
#ifdef CONFIG_WISP_TRANSLATE
	const struct wisp_app *app = wisp_app_find(name);
	struct wisp_app_usage usage;

	if (app != NULL) {
		wisp_app_usage(app, &usage);
		return (usage.translated != 0) ? " (translated)" : "";
	}
#else
	ARG_UNUSED(name);
#endif
	return "";
}

static void print_state(const struct shell *sh, const struct wisp_store_app *stored)
{
	char text[WISP_DESCRIPTION_SIZE];

	wisp_describe(stored, text, sizeof(text));
	if (stored->running.length != 0) {
		shell_print(sh, "%-16s " VERSION_FORMAT "  %s%s", stored->name,
			    VERSION(stored->running.version), text, tier_of(stored->name));
	} else {
		shell_print(sh, "%-16s -      %s", stored->name, text);
	}
	if (stored->candidate.length != 0) {
		shell_print(sh, "%-16s " VERSION_FORMAT "  update on trial, started %u times", "",
			    VERSION(stored->candidate.version), stored->attempts);
	}
}

static int cmd_list(const struct shell *sh, size_t argc, char **argv)
{
	struct wisp_store_app stored;
	struct wisp_store_upload upload;
	bool any = false;

	for (uint32_t slot = 0; slot < WISP_STORE_SLOTS; slot++) {
		int ret = wisp_store_get(slot, &stored);

		if (ret == WISP_STORE_NOT_MOUNTED) {
			return done(sh, "app storage", ret);
		}
		if (ret == 0 && (stored.running.length != 0 || stored.candidate.length != 0)) {
			print_state(sh, &stored);
			any = true;
		}
	}
	if (!any) {
		shell_print(sh, "no app is installed");
	}
	if (wisp_store_progress(&upload) == 0) {
		shell_print(sh, "%s: upload of " VERSION_FORMAT ", %u of %u bytes", upload.name,
			    VERSION(upload.image.version), (unsigned int)upload.offset,
			    (unsigned int)upload.image.length);
	}
	return 0;
}

static void print_image(const struct shell *sh, const char *what,
			const struct wisp_store_image *image)
{
	if (image->length == 0) {
		return;
	}
	shell_print(sh, "%s: " VERSION_FORMAT ", %u bytes, rollback counter %u", what,
		    VERSION(image->version), (unsigned int)image->length,
		    (unsigned int)image->rollback);
	shell_hexdump(sh, image->hash, 16);
}

#ifdef CONFIG_WISP_TIMES
/* Prints the share of the processor that an app has, and more. */
static void print_times(const struct shell *sh, const struct wisp_app *app)
{
	struct wisp_app_times times;
	uint32_t permille;
	uint32_t host;

	wisp_app_times(app, &times);
	permille = (uint32_t)(times.cpu_us * 1000 / MAX(times.run_us, 1));
	host = (uint32_t)(times.host_us * 1000 / MAX(times.run_us, 1));
	shell_print(sh, "%-16s %u.%u %% of the processor in %u.%03u s, %u wakeups",
		    wisp_app_name(app), permille / 10, permille % 10,
		    (unsigned int)(times.run_us / USEC_PER_SEC),
		    (unsigned int)(times.run_us % USEC_PER_SEC / USEC_PER_MSEC),
		    (unsigned int)times.wakeups);
	if (IS_ENABLED(CONFIG_WISP_HOST_TIME)) {
		shell_print(sh, "%-16s %u.%u %% in host functions", "", host / 10, host % 10);
	}
}
#else
static void print_times(const struct shell *sh, const struct wisp_app *app)
{
	ARG_UNUSED(sh);
	ARG_UNUSED(app);
}
#endif

static int print_usage(const struct shell *sh, const struct wisp_app *app)
{
	struct wisp_app_usage usage;

	wisp_app_usage(app, &usage);
	shell_print(sh, "runs that ended: %u, failed: %u", (unsigned int)usage.runs,
		    (unsigned int)usage.failures);
	shell_print(sh,
		    "most used: native stack %u of %u bytes, arena %u of %u, linear memory %u "
		    "of %u",
		    (unsigned int)usage.stack, (unsigned int)usage.stack_size,
		    (unsigned int)usage.arena, (unsigned int)usage.arena_size,
		    (unsigned int)usage.memory, (unsigned int)usage.memory_size);
	shell_print(sh,
		    "events: %u of %u waited at most, %u lost; messages lost: %u; fuel of a run: "
		    "%u",
		    (unsigned int)usage.events, (unsigned int)usage.events_size,
		    (unsigned int)usage.events_lost, (unsigned int)usage.messages_lost,
		    (unsigned int)MIN(usage.fuel, UINT32_MAX));
	shell_print(sh, "stored: %u bytes written, %u values refused; lines of the log dropped: %u",
		    (unsigned int)usage.kv_written, (unsigned int)usage.kv_refused,
		    (unsigned int)usage.lines_dropped);
	shell_print(sh, "files: %u bytes, %u changes refused", (unsigned int)usage.files_used,
		    (unsigned int)usage.files_refused);
	print_times(sh, app);
#ifdef CONFIG_WISP_TRANSLATE
	shell_print(sh, "functions with translated code: %u of %u", (unsigned int)usage.translated,
		    (unsigned int)usage.functions);
#endif
	return 0;
}

static int cmd_info(const struct shell *sh, size_t argc, char **argv)
{
	struct wisp_store_app stored;
	const struct wisp_app *app = wisp_app_find(argv[1]);
	int ret = wisp_store_find(argv[1], &stored);

	if (ret != 0) {
		return done(sh, argv[1], ret);
	}
	print_state(sh, &stored);
	print_image(sh, "running", &stored.running);
	print_image(sh, "candidate", &stored.candidate);
	shell_print(sh, "crashes %u, updates need a rollback counter of %u or more", stored.crashes,
		    (unsigned int)stored.floor);
	return (app == NULL) ? 0 : print_usage(sh, app);
}

#define SIMPLE(_name)                                                                              \
	static int cmd_##_name(const struct shell *sh, size_t argc, char **argv)                   \
	{                                                                                          \
		return done(sh, argv[1], wisp_store_##_name(argv[1]));                             \
	}

#if CONFIG_WISP_ARGS_SIZE > 0
typedef int (*set_strings)(const struct wisp_app *app, size_t count, const char *const *texts);

/* Sets the arguments or variables that follow the app's name on the command line. */
static int set_from(const struct shell *sh, size_t argc, char **argv, set_strings set)
{
	const struct wisp_app *app = wisp_app_find(argv[1]);
	int ret;

	if (app == NULL) {
		return done(sh, argv[1], WISP_STORE_NO_APP);
	}
	ret = set(app, argc - 2, (const char *const *)&argv[2]);
	switch (ret) {
	case -ENOSPC:
		shell_error(sh, "%s: more than CONFIG_WISP_ARGS_SIZE = %d bytes", argv[1],
			    CONFIG_WISP_ARGS_SIZE);
		break;
	case -EBUSY:
		shell_error(sh, "%s: is running; stop it first", argv[1]);
		break;
	case -EINVAL:
		shell_error(sh, "%s: a variable is written NAME=VALUE", argv[1]);
		break;
	default:
		break;
	}
	return ret;
}

/* The same, and saves them where the firmware can. */
static int save_from(const struct shell *sh, size_t argc, char **argv, set_strings set)
{
	int ret = set_from(sh, argc, argv, set);

	if (ret == 0 && IS_ENABLED(CONFIG_WISP_ARGS_SAVED) &&
	    wisp_app_save_args(wisp_app_find(argv[1])) != 0) {
		return done(sh, argv[1], WISP_STORE_NOT_SAVED);
	}
	return ret;
}

static int cmd_env(const struct shell *sh, size_t argc, char **argv)
{
	return save_from(sh, argc, argv, wisp_app_set_env);
}

/* Prints a text that a client of the management interface may have set. */
static void print_text(const struct shell *sh, const char *text)
{
	char piece[32];

	while (*text != '\0') {
		size_t count = 0;

		while (count < sizeof(piece) - 1 && *text != '\0') {
			piece[count++] = wisp_shown(*text++);
		}
		piece[count] = '\0';
		shell_fprintf(sh, SHELL_NORMAL, "%s", piece);
	}
	shell_fprintf(sh, SHELL_NORMAL, "\n");
}

static int cmd_args(const struct shell *sh, size_t argc, char **argv)
{
	const struct wisp_app *app = wisp_app_find(argv[1]);
	const char *text;

	if (argc > 2) {
		return save_from(sh, argc, argv, wisp_app_set_args);
	}
	if (app == NULL) {
		return done(sh, argv[1], WISP_STORE_NO_APP);
	}
	for (size_t i = 0; (text = wisp_app_arg(app, i)) != NULL; i++) {
		shell_fprintf(sh, SHELL_NORMAL, "argument %u: ", (unsigned int)i + 1);
		print_text(sh, text);
	}
	for (size_t i = 0; (text = wisp_app_env(app, i)) != NULL; i++) {
		shell_fprintf(sh, SHELL_NORMAL, "environment: ");
		print_text(sh, text);
	}
	return 0;
}

static int cmd_reset(const struct shell *sh, size_t argc, char **argv)
{
	const struct wisp_app *app = wisp_app_find(argv[1]);
	int ret = (app == NULL) ? 0 : wisp_app_reset_args(app);

	if (app == NULL) {
		return done(sh, argv[1], WISP_STORE_NO_APP);
	}
	if (ret == -EBUSY) {
		return done(sh, argv[1], WISP_STORE_RUNNING);
	}
	return done(sh, argv[1], (ret == 0) ? 0 : WISP_STORE_NOT_SAVED);
}

static int cmd_start(const struct shell *sh, size_t argc, char **argv)
{
	int ret = (argc > 2) ? set_from(sh, argc, argv, wisp_app_set_args) : 0;

	return (ret != 0) ? ret : done(sh, argv[1], wisp_store_start(argv[1]));
}

#define ARGS_COMMAND                                                                               \
	SHELL_CMD_ARG(args, &apps, "Show or set the arguments of an app: <name> [<argument> ...]", \
		      cmd_args, 2, SHELL_OPT_ARG_CHECK_SKIP),
#define RESET_COMMAND                                                                              \
	SHELL_CMD_ARG(reset, &apps,                                                                \
		      "Go back to the arguments and environment of the devicetree: <name>",        \
		      cmd_reset, 2, 0),
#define ENV_COMMAND                                                                                \
	SHELL_CMD_ARG(env, &apps, "Set the environment of an app: <name> [<NAME=VALUE> ...]",      \
		      cmd_env, 2, SHELL_OPT_ARG_CHECK_SKIP),
#else
SIMPLE(start)
#define ARGS_COMMAND
#define RESET_COMMAND
#define ENV_COMMAND
#endif
SIMPLE(stop)
SIMPLE(confirm)
SIMPLE(rollback)
SIMPLE(uninstall)

static int cmd_restart(const struct shell *sh, size_t argc, char **argv)
{
	int ret = wisp_store_stop(argv[1]);

	if (ret == 0 || ret == WISP_STORE_ALREADY) {
		ret = wisp_store_start(argv[1]);
	}
	return done(sh, argv[1], ret);
}

static int cmd_install(const struct shell *sh, size_t argc, char **argv)
{
	const struct wisp_image *image = wisp_image_find(argv[1]);
	struct wisp_store_upload upload = {0};
	int ret;

	if (image == NULL) {
		shell_error(sh,
			    "%s: the firmware carries no such image; others are installed with "
			    "west wisp push, over MCUmgr",
			    argv[1]);
		return -ENOENT;
	}
	ret = wisp_describe_image(image->data, image->size, &upload);
	if (ret == 0) {
		ret = wisp_store_begin(&upload);
	}
	if (ret == 0) {
		ret = wisp_store_write(upload.offset, image->data + upload.offset,
				       image->size - upload.offset);
	}
	if (ret == 0) {
		ret = wisp_store_finish();
	}
	return done(sh, argv[1], ret);
}

static int cmd_abort(const struct shell *sh, size_t argc, char **argv)
{
	return done(sh, "upload", wisp_store_abort());
}

static int cmd_stat(const struct shell *sh, size_t argc, char **argv)
{
	struct wisp_store_stat stat;
	const struct wisp_app *app;
	int ret;

	if (argc > 1) {
		app = wisp_app_find(argv[1]);
		return (app == NULL) ? done(sh, argv[1], WISP_STORE_NO_APP) : print_usage(sh, app);
	}
	ret = wisp_store_stat(&stat);
	if (ret != 0) {
		return done(sh, "app storage", ret);
	}
	shell_print(sh, "%u of %u blocks of %u bytes free, %u in one piece",
		    (unsigned int)stat.free, (unsigned int)stat.blocks,
		    (unsigned int)stat.erase_block, (unsigned int)stat.largest);
	shell_print(sh, "erases: %u to %u a block, journal %u", (unsigned int)stat.wear_least,
		    (unsigned int)stat.wear_most, (unsigned int)stat.journal_wear);
	shell_print(sh, "journal: %u of %u bytes; retired keys: %u",
		    (unsigned int)stat.journal_used, (unsigned int)stat.journal_size,
		    (unsigned int)stat.retired_keys);
	STRUCT_SECTION_FOREACH(wisp_app, each) {
		print_times(sh, each);
	}
	return 0;
}

static int cmd_log(const struct shell *sh, size_t argc, char **argv)
{
	struct wisp_failure failure;
	uint32_t shown = 0;

	for (uint32_t i = 0; wisp_failure_get(i, &failure) == 0; i++) {
		const char *name = wisp_app_name(failure.app);
		char text[WISP_DESCRIPTION_SIZE];

		if (argc > 1 && strcmp(argv[1], name) != 0) {
			continue;
		}
		wisp_describe_status(failure.app, &failure.status, "", text, sizeof(text));
		shell_print(sh, "%u.%03u s  %s: %s",
			    (unsigned int)(failure.uptime_ms / MSEC_PER_SEC),
			    (unsigned int)(failure.uptime_ms % MSEC_PER_SEC), name, text);
		shown++;
	}
	shell_print(sh, "%u shown, %u runs failed since boot", (unsigned int)shown,
		    (unsigned int)wisp_failure_count());
	return 0;
}

/* Tab completion: the apps of the firmware. */
static void complete_app(size_t index, struct shell_static_entry *entry)
{
	entry->syntax = NULL;
	entry->handler = NULL;
	entry->subcmd = NULL;
	entry->help = NULL;
	STRUCT_SECTION_FOREACH(wisp_app, app) {
		if (index-- == 0) {
			entry->syntax = app->name;
			return;
		}
	}
}

SHELL_DYNAMIC_CMD_CREATE(apps, complete_app);

/* Tab completion: the images of the firmware. */
static void complete_image(size_t index, struct shell_static_entry *entry)
{
	entry->syntax = NULL;
	entry->handler = NULL;
	entry->subcmd = NULL;
	entry->help = NULL;
	STRUCT_SECTION_FOREACH(wisp_image, image) {
		if (index-- == 0) {
			entry->syntax = image->name;
			return;
		}
	}
}

SHELL_DYNAMIC_CMD_CREATE(images, complete_image);

static int cmd_format(const struct shell *sh, size_t argc, char **argv)
{
	return done(sh, "app storage", wisp_store_format());
}

SHELL_STATIC_SUBCMD_SET_CREATE(storage_commands,
			       SHELL_CMD_ARG(format, NULL,
					     "Erase all apps, and whatever the partition holds",
					     cmd_format, 1, 0),
			       SHELL_SUBCMD_SET_END);

#ifdef CONFIG_WISP_DDI

static int cmd_ddi(const struct shell *sh, size_t argc, char **argv)
{
	static const char *const phases[] = {"starting",    "idle",  "holding",
					     "downloading", "trial", "reporting"};
	/* The stack of the shell is small, and its commands come one at a time. */
	static struct wisp_ddi_status status;

	wisp_ddi_status(&status);
	shell_print(sh, "%s, next poll in %u s", phases[status.phase],
		    (unsigned int)(status.next_ms / MSEC_PER_SEC));
	if (status.action[0] != '\0') {
		shell_print(sh, "action %s: %s, %u of %u bytes", status.action, status.module,
			    (unsigned int)status.bytes, (unsigned int)status.size);
	}
	if (status.trouble[0] != '\0') {
		shell_print(sh, "trouble (%u in a row): %s", (unsigned int)status.failures,
			    status.trouble);
	}
	if (status.last[0] != '\0') {
		shell_print(sh, "last: %s", status.last);
	}
	return 0;
}

static int cmd_ddi_poll(const struct shell *sh, size_t argc, char **argv)
{
	wisp_ddi_poll();
	return 0;
}

static int cmd_ddi_set(const struct shell *sh, size_t argc, char **argv)
{
	int ret = wisp_ddi_set(argv[1], argc > 2 ? argv[2] : "");

	switch (ret) {
	case 0:
		break;
	case -EINVAL:
		shell_error(sh, "%s: expected server, device or token", argv[1]);
		break;
	case -ENAMETOOLONG:
		shell_error(sh, "%s: the value is too long", argv[1]);
		break;
	default:
		shell_error(sh, "%s: the settings cannot be written: error %d", argv[1], ret);
		break;
	}
	return ret;
}

SHELL_STATIC_SUBCMD_SET_CREATE(
	ddi_commands, SHELL_CMD_ARG(poll, NULL, "Ask the server now", cmd_ddi_poll, 1, 0),
	SHELL_CMD_ARG(
		set, NULL,
		"Save who the device is: server|device|token [<value>]. Without a value, that "
		"of the configuration is used",
		cmd_ddi_set, 2, 1),
	SHELL_SUBCMD_SET_END);

#define DDI_COMMAND SHELL_CMD(ddi, &ddi_commands, "Show the client of the rollout server", cmd_ddi),

#else
#define DDI_COMMAND
#endif

SHELL_STATIC_SUBCMD_SET_CREATE(
	commands, SHELL_CMD_ARG(abort, NULL, "Abort the upload that is going on", cmd_abort, 1, 0),
	ARGS_COMMAND SHELL_CMD_ARG(confirm, &apps, "Confirm the update of an app: <name>",
				   cmd_confirm, 2, 0),
	DDI_COMMAND ENV_COMMAND SHELL_CMD_ARG(info, &apps, "Show an app: <name>", cmd_info, 2, 0),
	SHELL_CMD_ARG(install, &images, "Install an image of the firmware: <image>", cmd_install, 2,
		      0),
	SHELL_CMD_ARG(list, NULL, "List the apps", cmd_list, 1, 0),
	SHELL_CMD_ARG(log, &apps, "Show recent runs that failed: [<name>]", cmd_log, 1, 1),
	RESET_COMMAND SHELL_CMD_ARG(restart, &apps, "Stop and start an app: <name>", cmd_restart, 2,
				    0),
	SHELL_CMD_ARG(rollback, &apps, "Delete the update of an app: <name>", cmd_rollback, 2, 0),
	SHELL_CMD_ARG(start, &apps, "Start an app: <name> [<argument> ...]", cmd_start, 2,
		      (CONFIG_WISP_ARGS_SIZE > 0) ? SHELL_OPT_ARG_CHECK_SKIP : 0),
	SHELL_CMD_ARG(stat, &apps, "Show the use of the app storage, or of an app: [<name>]",
		      cmd_stat, 1, 1),
	SHELL_CMD_ARG(stop, &apps, "Stop an app: <name>", cmd_stop, 2, 0),
	SHELL_CMD(storage, &storage_commands, "Manage the app storage", NULL),
	SHELL_CMD_ARG(uninstall, &apps, "Remove an app: <name>", cmd_uninstall, 2, 0),
	SHELL_SUBCMD_SET_END);

SHELL_CMD_REGISTER(wisp, &commands, "WebAssembly apps", NULL);
