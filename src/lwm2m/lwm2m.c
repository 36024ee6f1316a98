/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Apps as instances of object 9 of LwM2M (Software Management). Zephyr's lwm2m_obj_swmgmt.c has the
 * resources. What happens when the server writes or executes one is in this folder, because that
 * file takes no package of more than one block.
 */

#include <errno.h>
#include <string.h>

#include <zephyr/kernel.h>
#include <zephyr/logging/log.h>
#include <zephyr/net/coap.h>
#include <zephyr/net/lwm2m.h>
#include <zephyr/settings/settings.h>
#include <zephyr/sys/printk.h>

#include <lwm2m_engine.h>

#include <wisp/wisp.h>

#include "lwm2m/lwm2m.h"
#include "storage/describe.h"
#include "storage/storage.h"

LOG_MODULE_REGISTER(wisp_lwm2m, CONFIG_WISP_LOG_LEVEL);

/* Milliseconds between two looks at the app storage. */
#define LOOK_MS     1000
#define KEPT_FORMAT 1
/* How long a message ID belongs to one request: EXCHANGE_LIFETIME of CoAP. */
#define REQUEST_MS  247000

static struct wisp_lwm2m_app instances[CONFIG_LWM2M_SWMGMT_MAX_INSTANCE_COUNT];
static size_t instance_count;

static bool is_ready;

const char *wisp_lwm2m_name(const struct wisp_lwm2m_app *instance)
{
	return wisp_app_name(instance->app);
}

struct wisp_lwm2m_app *wisp_lwm2m_app_of(uint16_t id)
{
	return is_ready && id < instance_count ? &instances[id] : NULL;
}

static bool is_zero(const uint8_t hash[32])
{
	static const uint8_t zeros[32];

	return memcmp(hash, zeros, sizeof(zeros)) == 0;
}

static bool is_image(const struct wisp_store_image *image, const uint8_t hash[32])
{
	return image->length != 0 && memcmp(image->hash, hash, sizeof(image->hash)) == 0;
}

/*
 * Outcomes.
 */

static int kept_key(const struct wisp_lwm2m_app *instance, char *key, size_t size)
{
	return snprintk(key, size, "wisp_lwm2m/%s", wisp_lwm2m_name(instance));
}

static int keep(struct wisp_lwm2m_app *instance)
{
	char key[sizeof("wisp_lwm2m/") + WISP_STORE_NAME_SIZE];
	int ret;

	(void)kept_key(instance, key, sizeof(key));
	instance->kept.format = KEPT_FORMAT;
	ret = settings_save_one(key, &instance->kept, sizeof(instance->kept));
	if (ret != 0) {
		LOG_ERR("%s: the settings cannot be written: error %d", wisp_lwm2m_name(instance),
			-ret);
	}
	return ret;
}

static void read_kept(struct wisp_lwm2m_app *instance)
{
	char key[sizeof("wisp_lwm2m/") + WISP_STORE_NAME_SIZE];

	(void)kept_key(instance, key, sizeof(key));
	if (settings_load_one(key, &instance->kept, sizeof(instance->kept)) !=
		    sizeof(instance->kept) ||
	    instance->kept.format != KEPT_FORMAT) {
		memset(&instance->kept, 0, sizeof(instance->kept));
	}
}

/*
 * State.
 */

/* Reads the app of an instance. Its images have length 0 if it is not installed. */
static int read_app(const struct wisp_lwm2m_app *instance, struct wisp_store_app *stored)
{
	int ret = wisp_store_find(wisp_lwm2m_name(instance), stored);

	if (ret == WISP_STORE_NOT_FOUND) {
		memset(stored, 0, sizeof(*stored));
		ret = 0;
	}
	return ret;
}

static enum wisp_lwm2m_state state_of(const struct wisp_lwm2m_app *instance,
				      const struct wisp_store_app *stored)
{
	if (wisp_lwm2m_package.instance == instance) {
		return wisp_lwm2m_package.delivered ? STATE_DELIVERED : STATE_DOWNLOAD_STARTED;
	}
	if (stored->candidate.length != 0) {
		return STATE_DELIVERED;
	}
	return stored->running.length != 0 && !instance->updating ? STATE_INSTALLED : STATE_INITIAL;
}

int wisp_lwm2m_read_state(const struct wisp_lwm2m_app *instance, enum wisp_lwm2m_state *state)
{
	struct wisp_store_app stored;
	int ret = read_app(instance, &stored);

	if (ret == 0) {
		*state = state_of(instance, &stored);
	}
	return ret;
}

static void forget_image(struct wisp_lwm2m_app *instance)
{
	memset(instance->kept.hash, 0, sizeof(instance->kept.hash));
}

/* Says that an installation failed, until another image runs than now. */
static void not_installed(struct wisp_lwm2m_app *instance, const struct wisp_store_app *stored)
{
	instance->kept.result = OUTCOME_NOT_INSTALLED;
	forget_image(instance);
	if (stored->running.length != 0) {
		memcpy(instance->kept.hash, stored->running.hash, sizeof(instance->kept.hash));
	}
}

/* Finds out how the installation of an image ended, if it has. */
static void judge(struct wisp_lwm2m_app *instance, const struct wisp_store_app *stored)
{
	const uint8_t *hash = instance->kept.hash;
	bool waits = is_image(&stored->candidate, hash) && !stored->disabled;

	if (wisp_lwm2m_package.instance == instance) {
		return;
	}
	if (instance->kept.result == OUTCOME_NOT_INSTALLED) {
		if (stored->running.length != 0 && !is_image(&stored->running, hash)) {
			/* Another client installed something since. */
			instance->kept.result = OUTCOME_INITIAL;
			forget_image(instance);
			(void)keep(instance);
		}
		return;
	}
	if (is_zero(hash) || waits) {
		return;
	}
	if (is_image(&stored->running, hash)) {
		LOG_INF("%s " VERSION_FORMAT ": kept", wisp_lwm2m_name(instance),
			VERSION(stored->running.version));
		instance->kept.result = OUTCOME_INSTALLED;
		forget_image(instance);
	} else {
		LOG_ERR("%s: the installation failed: the app was %s", wisp_lwm2m_name(instance),
			stored->disabled ? "disabled" : "rolled back");
		not_installed(instance, stored);
	}
	(void)keep(instance);
}

void wisp_lwm2m_show(struct wisp_lwm2m_app *instance)
{
	uint16_t id = (uint16_t)(instance - instances);
	const struct wisp_store_image *image;
	struct wisp_app_status status;
	struct wisp_store_app stored;
	char version[sizeof("255.255.65535")] = "";

	if (read_app(instance, &stored) != 0) {
		return;
	}
	judge(instance, &stored);
	image = stored.candidate.length != 0 ? &stored.candidate : &stored.running;
	if (image->length != 0) {
		snprintk(version, sizeof(version), VERSION_FORMAT, VERSION(image->version));
	}
	wisp_app_status(instance->app, &status);
	if (lwm2m_set_u8(&LWM2M_OBJ(LWM2M_OBJECT_SOFTWARE_MANAGEMENT_ID, id, UPDATE_STATE),
			 state_of(instance, &stored)) == -ENOENT) {
		/* The server deleted the instance. The app is still there. */
		(void)lwm2m_create_object_inst(&LWM2M_OBJ(LWM2M_OBJECT_SOFTWARE_MANAGEMENT_ID, id));
		return;
	}
	(void)lwm2m_set_u8(&LWM2M_OBJ(LWM2M_OBJECT_SOFTWARE_MANAGEMENT_ID, id, UPDATE_RESULT),
			   instance->kept.result);
	(void)lwm2m_set_bool(&LWM2M_OBJ(LWM2M_OBJECT_SOFTWARE_MANAGEMENT_ID, id, ACTIVATION_STATE),
			     status.state == WISP_APP_RUNNING);
	(void)lwm2m_set_string(&LWM2M_OBJ(LWM2M_OBJECT_SOFTWARE_MANAGEMENT_ID, id, PACKAGE_VERSION),
			       version);
}

/*
 * The commands that a server executes on an instance.
 */

typedef int (*command_t)(struct wisp_lwm2m_app *instance, const uint8_t *arguments,
			 uint16_t length);

static int install(struct wisp_lwm2m_app *instance, const uint8_t *arguments, uint16_t length)
{
	struct wisp_store_app stored;
	int ret;

	ARG_UNUSED(arguments);
	ARG_UNUSED(length);
	if (wisp_lwm2m_package.instance != instance || !wisp_lwm2m_package.delivered) {
		return -EPERM;
	}
	if (read_app(instance, &stored) != 0) {
		return -EIO;
	}
	/* After a reset, it is looked for. */
	memcpy(instance->kept.hash, wisp_lwm2m_package.hash, sizeof(instance->kept.hash));
	instance->kept.result = OUTCOME_INITIAL;
	if (keep(instance) != 0) {
		forget_image(instance);
		return -EIO;
	}
	ret = wisp_storage_finish(wisp_lwm2m_package.owner);
	if (ret == 0) {
		wisp_lwm2m_package.announced = false;
		instance->updating = false;
	} else {
		LOG_ERR("%s: not installed: error %d of the app storage", wisp_lwm2m_name(instance),
			ret);
		not_installed(instance, &stored);
		(void)keep(instance);
	}
	wisp_lwm2m_end_package();
	return ret == 0 ? 0 : -EEXIST;
}

/*
 * Removes what there is: a delivered package, an update on trial, a prepared update, or the app.
 * The server has to know which of them it is.
 */
static int remove_app(struct wisp_lwm2m_app *instance, bool for_update)
{
	uint16_t id = (uint16_t)(instance - instances);
	struct wisp_store_app stored;
	enum wisp_lwm2m_state state;
	uint8_t shown;

	if (read_app(instance, &stored) != 0) {
		return -EIO;
	}
	state = state_of(instance, &stored);
	if (lwm2m_get_u8(&LWM2M_OBJ(LWM2M_OBJECT_SOFTWARE_MANAGEMENT_ID, id, UPDATE_STATE),
			 &shown) != 0 ||
	    shown != state) {
		return -EPERM;
	}
	switch (state) {
	case STATE_INITIAL:
		if (!instance->updating || for_update) {
			return -EPERM;
		}
		instance->updating = false;
		return 0;
	case STATE_DELIVERED:
		if (wisp_lwm2m_package.instance == instance) {
			wisp_lwm2m_end_package();
			return 0;
		}
		return wisp_store_rollback(wisp_lwm2m_name(instance)) == 0 ? 0 : -EIO;
	case STATE_INSTALLED:
		if (for_update) {
			instance->updating = true;
			return 0;
		}
		return wisp_store_uninstall(wisp_lwm2m_name(instance)) == 0 ? 0 : -EIO;
	default:
		return -EPERM;
	}
}

static int uninstall(struct wisp_lwm2m_app *instance, const uint8_t *arguments, uint16_t length)
{
	int ret;

	if (length > 1 || (length == 1 && arguments[0] != '0' && arguments[0] != '1')) {
		LOG_WRN("%s: refused, Uninstall takes no argument, 0 or 1",
			wisp_lwm2m_name(instance));
		return -EEXIST;
	}
	ret = remove_app(instance, length == 1 && arguments[0] == '1');
	if (ret == 0) {
		instance->kept.result = OUTCOME_INITIAL;
		forget_image(instance);
		(void)keep(instance);
	}
	return ret;
}

/* Starts or stops an installed app. One that runs, or does not run, stays as it is. */
static int run(struct wisp_lwm2m_app *instance, bool start)
{
	const char *name = wisp_lwm2m_name(instance);
	struct wisp_store_app stored;
	int ret;

	if (read_app(instance, &stored) != 0) {
		return -EIO;
	}
	if (stored.running.length == 0 && stored.candidate.length == 0) {
		return -EPERM;
	}
	ret = start ? wisp_store_start(name) : wisp_store_stop(name);
	if (ret == 0 && start && stored.candidate.length != 0 &&
	    instance->kept.result == OUTCOME_NOT_INSTALLED) {
		/* A disabled image is on trial again. */
		memcpy(instance->kept.hash, stored.candidate.hash, sizeof(instance->kept.hash));
		instance->kept.result = OUTCOME_INITIAL;
		(void)keep(instance);
	}
	return ret == 0 || ret == WISP_STORE_ALREADY ? 0 : -EIO;
}

static int activate(struct wisp_lwm2m_app *instance, const uint8_t *arguments, uint16_t length)
{
	ARG_UNUSED(arguments);
	ARG_UNUSED(length);
	return run(instance, true);
}

static int deactivate(struct wisp_lwm2m_app *instance, const uint8_t *arguments, uint16_t length)
{
	ARG_UNUSED(arguments);
	ARG_UNUSED(length);
	return run(instance, false);
}

static bool is_same(const struct wisp_lwm2m_request *a, const struct wisp_lwm2m_request *b)
{
	return b->uptime - a->uptime < REQUEST_MS && a->id == b->id && a->resource == b->resource &&
	       a->token_length == b->token_length &&
	       memcmp(a->token, b->token, sizeof(a->token)) == 0;
}

/*
 * Executes a command of the server once. Zephyr hands over a request again that the server repeats
 * because the answer was lost. It gets the same result.
 */
static int execute(uint16_t id, const uint8_t *arguments, uint16_t length, command_t command)
{
	struct wisp_lwm2m_request request = {.uptime = k_uptime_get()};
	struct wisp_lwm2m_app *instance = wisp_lwm2m_app_of(id);
	struct lwm2m_ctx *client = lwm2m_rd_client_ctx();
	const struct lwm2m_message *message = client == NULL ? NULL : client->processed_req;

	if (instance == NULL) {
		return -EPERM;
	}
	/* The shell of the client executes without a message. */
	if (message != NULL) {
		request.id = message->mid;
		request.resource = message->path.res_id;
		request.token_length = coap_header_get_token(message->in.in_cpkt, request.token);
		if (is_same(&instance->executed, &request)) {
			return instance->executed.result;
		}
		/* The command waits for the app storage, and so does the answer. */
		lwm2m_acknowledge(client);
	}
	request.result = command(instance, arguments, length);
	instance->executed = request;
	wisp_lwm2m_show(instance);
	return request.result;
}

static int execute_install(uint16_t id, uint8_t *arguments, uint16_t length)
{
	return execute(id, arguments, length, install);
}

static int execute_uninstall(uint16_t id, uint8_t *arguments, uint16_t length)
{
	return execute(id, arguments, length, uninstall);
}

static int execute_activate(uint16_t id, uint8_t *arguments, uint16_t length)
{
	return execute(id, arguments, length, activate);
}

static int execute_deactivate(uint16_t id, uint8_t *arguments, uint16_t length)
{
	return execute(id, arguments, length, deactivate);
}

/*
 * Instances.
 */

/*
 * Gives a new instance the functions above in place of those of Zephyr's object, also if the server
 * made it. Refuses one that is no app.
 */
static int created(uint16_t id)
{
	static const struct {
		enum wisp_lwm2m_resource resource;
		lwm2m_engine_execute_cb_t execute;
	} commands[] = {
		{INSTALL, execute_install},
		{UNINSTALL, execute_uninstall},
		{ACTIVATE, execute_activate},
		{DEACTIVATE, execute_deactivate},
	};
	const uint16_t object = LWM2M_OBJECT_SOFTWARE_MANAGEMENT_ID;

	if (id >= instance_count) {
		return -EPERM;
	}
	(void)lwm2m_register_read_callback(&LWM2M_OBJ(object, id, PACKAGE_VERSION), NULL);
	/* Zephyr's object has the resource without the instance that is written. */
	(void)lwm2m_create_res_inst(&LWM2M_OBJ(object, id, PACKAGE, 0));
	(void)lwm2m_register_pre_write_callback(&LWM2M_OBJ(object, id, PACKAGE), wisp_lwm2m_place);
	(void)lwm2m_register_post_write_callback(&LWM2M_OBJ(object, id, PACKAGE),
						 wisp_lwm2m_package_written);
	(void)lwm2m_register_post_write_callback(&LWM2M_OBJ(object, id, PACKAGE_URI),
						 wisp_lwm2m_uri_written);
	ARRAY_FOR_EACH_PTR(commands, command) {
		(void)lwm2m_register_exec_callback(&LWM2M_OBJ(object, id, command->resource),
						   command->execute);
	}
	(void)lwm2m_set_string(&LWM2M_OBJ(object, id, PACKAGE_NAME),
			       wisp_lwm2m_name(&instances[id]));
	return 0;
}

/*
 * Looks once after boot for a package that a reset broke off. Returns false while the app storage
 * is not open.
 */
static bool get_ready(void)
{
	struct wisp_store_upload upload;
	int ret = wisp_store_progress(&upload);

	if (ret != 0 && ret != WISP_STORE_NO_UPLOAD) {
		return false;
	}
	for (size_t i = 0; i < instance_count; i++) {
		read_kept(&instances[i]);
		/* Only packages have no hash until they are complete. */
		if (ret == 0 && is_zero(upload.image.hash) &&
		    strcmp(upload.name, wisp_lwm2m_name(&instances[i])) == 0) {
			wisp_storage_give_up(&upload, &wisp_lwm2m_package.owner);
			instances[i].kept.result = OUTCOME_CONNECTION_LOST;
			forget_image(&instances[i]);
		}
	}
	return true;
}

static void look(struct k_work *work)
{
	ARG_UNUSED(work);
	if (!is_ready) {
		is_ready = get_ready();
		if (!is_ready) {
			return;
		}
	}
	wisp_lwm2m_watch_package();
	for (size_t i = 0; i < instance_count; i++) {
		wisp_lwm2m_show(&instances[i]);
	}
}

static int lwm2m_init(void)
{
	uint16_t id;

	(void)settings_subsys_init();
	(void)lwm2m_register_create_callback(LWM2M_OBJECT_SOFTWARE_MANAGEMENT_ID, created);
	STRUCT_SECTION_FOREACH(wisp_app, app) {
		if (instance_count == ARRAY_SIZE(instances)) {
			LOG_ERR("%s: raise CONFIG_LWM2M_SWMGMT_MAX_INSTANCE_COUNT",
				wisp_app_name(app));
			continue;
		}
		id = (uint16_t)instance_count++;
		instances[id].app = app;
		(void)lwm2m_create_object_inst(&LWM2M_OBJ(LWM2M_OBJECT_SOFTWARE_MANAGEMENT_ID, id));
	}
	wisp_lwm2m_prepare_pull();
	return lwm2m_engine_add_service(look, LOOK_MS);
}

LWM2M_APP_INIT(lwm2m_init);
