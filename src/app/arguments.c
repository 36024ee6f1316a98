/* SPDX-License-Identifier: Apache-2.0 */

/* Arguments and environment of apps, from their devicetree nodes or set before a start. */

#include <errno.h>
#include <string.h>

#include <zephyr/kernel.h>
#include <zephyr/settings/settings.h>
#include <zephyr/sys/printk.h>

#include <wisp/wisp.h>

#include "app/arguments.h"
#include "app/grants.h"
#include "border/shim.h"

#if CONFIG_WISP_ARGS_SIZE > 0

static int set(const struct wisp_app *app, struct wisp_strings *strings, size_t count,
	       const char *const *texts)
{
	struct wisp_app_status status;
	size_t size = 0;

	for (size_t i = 0; i < count; i++) {
		size += strlen(texts[i]) + 1;
	}
	if (size > CONFIG_WISP_ARGS_SIZE) {
		return -ENOSPC;
	}
	/* A load that is going on would overwrite what is set. */
	wisp_arguments_load(app);
	wisp_app_status(app, &status);
	if (status.state == WISP_APP_RUNNING) {
		return -EBUSY;
	}
	size = 0;
	for (size_t i = 0; i < count; i++) {
		size_t length = strlen(texts[i]) + 1;

		memcpy(strings->text + size, texts[i], length);
		size += length;
	}
	/* Saved strings that are read later fill in the other list only. */
	strings->size = size;
	strings->set = true;
	return 0;
}

static bool is_variable(const char *text)
{
	const char *equals = strchr(text, '=');

	return equals != NULL && equals != text;
}

int wisp_arguments_set(const struct wisp_app *app, bool env, const struct wisp_strings *strings)
{
	struct wisp_strings *to = env ? &app->data->env : &app->data->args;
	struct wisp_app_status status;

	for (size_t at = 0; env && at < strings->size; at += strlen(&strings->text[at]) + 1) {
		if (!is_variable(&strings->text[at])) {
			return -EINVAL;
		}
	}
	wisp_arguments_load(app);
	wisp_app_status(app, &status);
	if (status.state == WISP_APP_RUNNING) {
		return -EBUSY;
	}
	memcpy(to->text, strings->text, strings->size);
	to->size = strings->size;
	to->set = true;
	return 0;
}

#ifdef CONFIG_WISP_ARGS_SAVED

#define PREFIX "wisp_args/"

struct name {
	char text[SETTINGS_MAX_NAME_LEN + 1];
};

/* Makes the name of a setting. Returns false if the app's name is too long for it. */
static bool make_name(struct name *name, const struct wisp_app *app, const char *which)
{
	int length = snprintk(name->text, sizeof(name->text), PREFIX "%s/%s", app->name, which);

	return length > 0 && (size_t)length < sizeof(name->text);
}

/* Reads saved strings, if there are some and they fit. */
static void load_strings(const struct wisp_app *app, struct wisp_strings *strings,
			 const char *which)
{
	struct name name;
	ssize_t length;

	if (strings->set || !make_name(&name, app, which)) {
		return;
	}
	length = settings_get_val_len(name.text);
	/* A NUL more than the strings have: settings keep no value without bytes. */
	if (length <= 0 || (size_t)length > sizeof(strings->text)) {
		return;
	}
	if (settings_load_one(name.text, strings->text, sizeof(strings->text)) != length ||
	    strings->text[length - 1] != '\0') {
		return;
	}
	strings->size = length - 1;
	strings->set = true;
}

void wisp_arguments_load(const struct wisp_app *app)
{
	static K_MUTEX_DEFINE(loading);
	struct wisp_app_data *data = app->data;

	/* A start waits for the strings that another thread is just reading. */
	(void)k_mutex_lock(&loading, K_FOREVER);
	if (!data->args_loaded && settings_subsys_init() == 0) {
		load_strings(app, &data->args, "args");
		load_strings(app, &data->env, "env");
		data->args_loaded = true;
	}
	(void)k_mutex_unlock(&loading);
}

static int save_strings(const struct wisp_app *app, struct wisp_strings *strings, const char *which)
{
	struct name name;

	if (!make_name(&name, app, which)) {
		return -ENAMETOOLONG;
	}
	if (!strings->set) {
		return settings_delete(name.text);
	}
	strings->text[strings->size] = '\0';
	return settings_save_one(name.text, strings->text, strings->size + 1);
}

int wisp_app_save_args(const struct wisp_app *app)
{
	int ret = settings_subsys_init();

	/* What is saved of the list that was not set stays. */
	wisp_arguments_load(app);
	if (ret == 0) {
		ret = save_strings(app, &app->data->args, "args");
	}
	return (ret == 0) ? save_strings(app, &app->data->env, "env") : ret;
}

#else

int wisp_app_save_args(const struct wisp_app *app)
{
	ARG_UNUSED(app);
	return -ENOTSUP;
}

#endif /* CONFIG_WISP_ARGS_SAVED */

int wisp_app_reset_args(const struct wisp_app *app)
{
	struct wisp_app_status status;

	wisp_arguments_load(app);
	wisp_app_status(app, &status);
	if (status.state == WISP_APP_RUNNING) {
		return -EBUSY;
	}
	app->data->args.set = false;
	app->data->env.set = false;
	app->data->args_loaded = true;
	return IS_ENABLED(CONFIG_WISP_ARGS_SAVED) ? wisp_app_save_args(app) : 0;
}

int wisp_app_set_args(const struct wisp_app *app, size_t count, const char *const *args)
{
	return set(app, &app->data->args, count, args);
}

int wisp_app_set_env(const struct wisp_app *app, size_t count, const char *const *variables)
{
	for (size_t i = 0; i < count; i++) {
		if (!is_variable(variables[i])) {
			return -EINVAL;
		}
	}
	return set(app, &app->data->env, count, variables);
}

/* Returns the string with this index, or NULL if there are fewer. */
static const char *text_at(const struct wisp_strings *strings, size_t index)
{
	const char *text = strings->text;
	const char *end = text + strings->size;

	while (text < end && index-- > 0) {
		text += strlen(text) + 1;
	}
	return (text < end) ? text : NULL;
}

const char *wisp_app_arg(const struct wisp_app *app, size_t index)
{
	wisp_arguments_load(app);
	return wisp_shim_app_argument(app, index);
}

const char *wisp_app_env(const struct wisp_app *app, size_t index)
{
	wisp_arguments_load(app);
	return wisp_shim_app_variable(app, index);
}

#define SET(_app, _strings, _index)                                                                \
	if ((_app)->data->_strings.set) {                                                          \
		return text_at(&(_app)->data->_strings, _index);                                   \
	}

#else
#define SET(_app, _strings, _index)
#endif /* CONFIG_WISP_ARGS_SIZE > 0 */

const char *wisp_shim_app_argument(const struct wisp_app *app, size_t index)
{
	const struct wisp_grants *grants = app->grants;

	SET(app, args, index)
	return (grants != NULL && index < grants->arg_count) ? grants->args[index] : NULL;
}

const char *wisp_shim_app_variable(const struct wisp_app *app, size_t index)
{
	const struct wisp_grants *grants = app->grants;

	SET(app, env, index)
	return (grants != NULL && index < grants->env_count) ? grants->env[index] : NULL;
}
