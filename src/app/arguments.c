/* SPDX-License-Identifier: Apache-2.0 */

/* Arguments and environment of apps, from their devicetree nodes or set before a start. */

#include <errno.h>
#include <string.h>

#include <zephyr/kernel.h>

#include <wisp/wisp.h>

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
	if (size > sizeof(strings->text)) {
		return -ENOSPC;
	}
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
	strings->size = size;
	strings->set = true;
	return 0;
}

int wisp_app_set_args(const struct wisp_app *app, size_t count, const char *const *args)
{
	return set(app, &app->data->args, count, args);
}

int wisp_app_set_env(const struct wisp_app *app, size_t count, const char *const *variables)
{
	for (size_t i = 0; i < count; i++) {
		const char *equals = strchr(variables[i], '=');

		if (equals == NULL || equals == variables[i]) {
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
