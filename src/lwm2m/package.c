/* SPDX-License-Identifier: Apache-2.0 */

/* Packages that the server writes, or that the device fetches: their way to the app storage. */

#include <errno.h>
#include <string.h>

#include <zephyr/kernel.h>
#include <zephyr/logging/log.h>
#include <zephyr/net/lwm2m.h>

#include <lwm2m_pull_context.h>

#include "lwm2m/lwm2m.h"
#include "storage/storage.h"

LOG_MODULE_DECLARE(wisp_lwm2m, CONFIG_WISP_LOG_LEVEL);

/* Largest block of CoAP. A packet reaches the callbacks in pieces of this size. */
#define BLOCK_SIZE 1024
/* First bytes of an image, which are read before it is announced: header, table, manifest. */
#define HEAD_SIZE  512

struct wisp_lwm2m_package wisp_lwm2m_package;

/* The first bytes of a package that is not announced yet. */
static uint8_t head[HEAD_SIZE];

/* Returns the result that an error of the app storage is before the installation. */
static enum wisp_lwm2m_outcome result_of(int error)
{
	switch (error) {
	case WISP_STORE_NO_SPACE:
	case WISP_STORE_NO_RAM:
	case WISP_STORE_NO_SLOT:
		return OUTCOME_NO_STORAGE;
	case WISP_STORE_OFFSET:
	case WISP_STORE_LENGTH:
	case WISP_STORE_INCOMPLETE:
	case WISP_STORE_HASH:
	case WISP_STORE_BAD_TRAILER:
	case WISP_STORE_TRAILER_HASH:
	case WISP_STORE_UNSIGNED:
	case WISP_STORE_UNKNOWN_KEY:
	case WISP_STORE_RETIRED_KEY:
	case WISP_STORE_SIGNATURE:
	case WISP_STORE_BAD_RETIREMENT:
	case WISP_STORE_NOT_ROOT:
	case WISP_STORE_BAD_ATTACHMENT:
	case WISP_STORE_UNKNOWN_COMPILE_KEY:
		return OUTCOME_INTEGRITY;
	case WISP_STORE_NO_IMAGE:
	case WISP_STORE_ANNOUNCED:
	case WISP_STORE_NO_APP:
	case WISP_STORE_TOO_LARGE:
	case WISP_STORE_NO_INTERFACE:
	case WISP_STORE_NOT_GRANTED:
	case WISP_STORE_NO_NATIVE:
	case WISP_STORE_NOT_FOR_DEVICE:
		return OUTCOME_UNSUPPORTED;
	default:
		return OUTCOME_DEVICE_ERROR;
	}
}

void wisp_lwm2m_end_package(void)
{
	if (wisp_lwm2m_package.announced) {
		(void)wisp_storage_abort(wisp_lwm2m_package.owner);
	}
	wisp_lwm2m_package.instance = NULL;
	wisp_lwm2m_package.announced = false;
}

/* Ends the package with a result. */
static void fail(enum wisp_lwm2m_outcome result)
{
	struct wisp_lwm2m_app *instance = wisp_lwm2m_package.instance;

	LOG_WRN("%s: the package failed at byte %u: result %d", wisp_lwm2m_name(instance),
		(unsigned int)wisp_lwm2m_package.received, result);
	instance->kept.result = result;
	wisp_lwm2m_end_package();
}

/* The same for an error of the app storage. Returns the errno for the answer to the server. */
static int refuse(int error)
{
	enum wisp_lwm2m_outcome result = result_of(error);

	wisp_storage_explain(wisp_lwm2m_name(wisp_lwm2m_package.instance), "package refused",
			     error);
	fail(result);
	return result == OUTCOME_NO_STORAGE ? -EFBIG : -EEXIST;
}

static uint8_t block[BLOCK_SIZE];

void *wisp_lwm2m_place(uint16_t id, uint16_t resource, uint16_t resource_instance, size_t *size)
{
	ARG_UNUSED(id);
	ARG_UNUSED(resource);
	ARG_UNUSED(resource_instance);
	*size = sizeof(block);
	return block;
}

/* Begins a package. Returns -EPERM if the state does not allow it. */
static int begin(struct wisp_lwm2m_app *instance, bool pulled)
{
	enum wisp_lwm2m_state state;

	if (wisp_lwm2m_package.instance != NULL && wisp_lwm2m_package.instance != instance) {
		LOG_WRN("%s: refused, a package for %s comes first", wisp_lwm2m_name(instance),
			wisp_lwm2m_name(wisp_lwm2m_package.instance));
		return -EPERM;
	}
	if (wisp_lwm2m_read_state(instance, &state) != 0) {
		return -EIO;
	}
	if (state == STATE_DOWNLOAD_STARTED) {
		/* The server begins anew. */
		wisp_lwm2m_end_package();
	} else if (state != STATE_INITIAL) {
		LOG_WRN("%s: refused, the state allows no package; execute Uninstall first",
			wisp_lwm2m_name(instance));
		return -EPERM;
	}
	wisp_lwm2m_package = (struct wisp_lwm2m_package){
		.instance = instance,
		.pulled = pulled,
		.last = k_uptime_get(),
	};
	instance->kept.result = OUTCOME_DOWNLOADING;
	memset(instance->kept.hash, 0, sizeof(instance->kept.hash));
	return 0;
}

/* Announces the package, and writes the bytes that came before. `length` is 0 if it is unknown. */
static int announce(uint32_t length)
{
	struct wisp_store_upload upload = {.image.length = length};
	uint32_t size = MIN(wisp_lwm2m_package.received, sizeof(head));
	int ret = wisp_rust_store_head(head, size, &upload);

	if (ret == 0 && strcmp(upload.name, wisp_lwm2m_name(wisp_lwm2m_package.instance)) != 0) {
		ret = WISP_STORE_ANNOUNCED;
	}
	if (ret == 0) {
		ret = wisp_storage_begin(&upload, &wisp_lwm2m_package.owner);
	}
	if (ret == 0 && upload.offset != 0) {
		/* It is left of another package of this length. */
		(void)wisp_storage_abort(wisp_lwm2m_package.owner);
		ret = wisp_storage_begin(&upload, &wisp_lwm2m_package.owner);
	}
	if (ret != 0) {
		return ret;
	}
	wisp_lwm2m_package.announced = true;
	return wisp_storage_write(wisp_lwm2m_package.owner, 0, head, size);
}

/* Takes the next bytes of the package. Returns an error of the app storage. */
static int take(const uint8_t *data, size_t length, bool last, size_t total)
{
	struct wisp_store_upload upload = {0};
	int ret = 0;

	wisp_lwm2m_package.last = k_uptime_get();
	if (!wisp_lwm2m_package.announced) {
		size_t part = MIN(length, sizeof(head) - wisp_lwm2m_package.received);

		memcpy(head + wisp_lwm2m_package.received, data, part);
		wisp_lwm2m_package.received += part;
		data += part;
		length -= part;
		if (wisp_lwm2m_package.received == sizeof(head) || last) {
			/* With the last block, the length is known, whatever the server says. */
			ret = announce(last ? wisp_lwm2m_package.received + length
					    : (uint32_t)MIN(total, UINT32_MAX));
		}
	}
	if (ret == 0 && length != 0) {
		ret = wisp_storage_write(wisp_lwm2m_package.owner, wisp_lwm2m_package.received,
					 data, length);
		wisp_lwm2m_package.received += length;
	}
	if (ret == 0 && last) {
		ret = wisp_storage_identify(wisp_lwm2m_package.owner);
	}
	if (ret == 0 && last) {
		ret = wisp_store_progress(&upload);
		memcpy(wisp_lwm2m_package.hash, upload.image.hash, sizeof(upload.image.hash));
	}
	return ret;
}

/* Takes a piece of a package at an offset. */
static int take_at(struct wisp_lwm2m_app *instance, const uint8_t *data, uint16_t length, bool last,
		   size_t total, size_t offset)
{
	int ret;

	if (wisp_lwm2m_package.instance != instance || wisp_lwm2m_package.delivered ||
	    offset != wisp_lwm2m_package.received) {
		return -EFAULT;
	}
	if (!wisp_lwm2m_package.pulled && !last && offset == 0 && total == length) {
		/* Zephyr takes the length of the first block then, and drops the other blocks. */
		LOG_ERR("%s: the server does not tell the length of the package (option Size1)",
			wisp_lwm2m_name(instance));
		fail(OUTCOME_DEVICE_ERROR);
		wisp_lwm2m_show(instance);
		return -EEXIST;
	}
	ret = take(data, length, last, total);
	if (ret != 0) {
		ret = refuse(ret);
	} else if (last) {
		LOG_INF("%s: package delivered, %u bytes", wisp_lwm2m_name(instance),
			(unsigned int)wisp_lwm2m_package.received);
		wisp_lwm2m_package.delivered = true;
		instance->kept.result = OUTCOME_VERIFIED;
	}
	wisp_lwm2m_show(instance);
	return ret;
}

int wisp_lwm2m_package_written(uint16_t id, uint16_t resource, uint16_t resource_instance,
			       uint8_t *data, uint16_t length, bool last, size_t total,
			       size_t offset)
{
	struct wisp_lwm2m_app *instance = wisp_lwm2m_app_of(id);
	int ret = 0;

	ARG_UNUSED(resource);
	ARG_UNUSED(resource_instance);
	if (instance == NULL ||
	    (wisp_lwm2m_package.instance != NULL && wisp_lwm2m_package.pulled)) {
		return -EPERM;
	}
	if (offset == 0) {
		ret = begin(instance, false);
	}
	return ret == 0 ? take_at(instance, data, length, last, total, offset) : ret;
}

#ifdef CONFIG_WISP_LWM2M_PULL

static int package_pulled(uint16_t id, uint16_t resource, uint16_t resource_instance, uint8_t *data,
			  uint16_t length, bool last, size_t total, size_t offset)
{
	struct wisp_lwm2m_app *instance = wisp_lwm2m_app_of(id);

	ARG_UNUSED(resource);
	ARG_UNUSED(resource_instance);
	if (instance == NULL || !wisp_lwm2m_package.pulled) {
		return -EPERM;
	}
	return take_at(instance, data, length, last, total, offset);
}

static void pull_ended(uint16_t id, int error)
{
	struct wisp_lwm2m_app *instance = wisp_lwm2m_app_of(id);

	/*
	 * If a piece was refused, the package has ended already. Zephyr reports -EALREADY for
	 * another transfer, which did not begin because of this one.
	 */
	if (error != 0 && error != -EALREADY && instance != NULL &&
	    wisp_lwm2m_package.instance == instance && wisp_lwm2m_package.pulled &&
	    !wisp_lwm2m_package.delivered) {
		fail(error == -ENOTSUP || error == -EPROTONOSUPPORT ? OUTCOME_INVALID_URI
								    : OUTCOME_CONNECTION_LOST);
		wisp_lwm2m_show(instance);
	}
}

int wisp_lwm2m_uri_written(uint16_t id, uint16_t resource, uint16_t resource_instance,
			   uint8_t *data, uint16_t length, bool last, size_t total, size_t offset)
{
	struct wisp_lwm2m_app *instance = wisp_lwm2m_app_of(id);
	struct requesting_object request = {
		.obj_inst_id = (uint8_t)id,
		.result_cb = pull_ended,
		.write_cb = package_pulled,
	};
	char uri[CONFIG_LWM2M_SWMGMT_PACKAGE_URI_LEN] = "";
	int ret;

	ARG_UNUSED(resource);
	ARG_UNUSED(resource_instance);
	ARG_UNUSED(last);
	ARG_UNUSED(total);
	if (instance == NULL || wisp_lwm2m_package.instance != NULL || offset != 0) {
		return -EPERM;
	}
	ret = begin(instance, true);
	if (ret != 0) {
		return ret;
	}
	/* The last byte of the address stays 0. */
	memcpy(uri, data, MIN(length, sizeof(uri) - 1));
	LOG_INF("%s: fetches a package", wisp_lwm2m_name(instance));
	ret = lwm2m_pull_context_start_transfer(uri, request, K_NO_WAIT);
	if (ret != 0 && wisp_lwm2m_package.instance == instance) {
		fail(OUTCOME_DEVICE_ERROR);
	}
	wisp_lwm2m_show(instance);
	return ret;
}

/*
 * The same for object 5. Without a place, it refuses what the server writes to it, as it would in a
 * firmware without apps and without updates of its own.
 */
static void *pull_place(uint16_t id, uint16_t resource, uint16_t resource_instance, size_t *size)
{
	bool is_pulled = wisp_lwm2m_package.instance != NULL && wisp_lwm2m_package.pulled &&
			 !wisp_lwm2m_package.delivered;

	if (!is_pulled && lwm2m_firmware_get_write_cb() == NULL) {
		*size = 0;
		return NULL;
	}
	return wisp_lwm2m_place(id, resource, resource_instance, size);
}

void wisp_lwm2m_prepare_pull(void)
{
	void *place = NULL;

	if (lwm2m_get_res_buf(&LWM2M_OBJ(LWM2M_OBJECT_FIRMWARE_ID, 0, 0), &place, NULL, NULL,
			      NULL) == 0 &&
	    place == NULL) {
		(void)lwm2m_register_pre_write_callback(&LWM2M_OBJ(LWM2M_OBJECT_FIRMWARE_ID, 0, 0),
							pull_place);
	}
}

#else

void wisp_lwm2m_prepare_pull(void)
{
}

int wisp_lwm2m_uri_written(uint16_t id, uint16_t resource, uint16_t resource_instance,
			   uint8_t *data, uint16_t length, bool last, size_t total, size_t offset)
{
	return -ENOTSUP;
}

#endif /* CONFIG_WISP_LWM2M_PULL */

void wisp_lwm2m_watch_package(void)
{
	struct wisp_lwm2m_app *instance = wisp_lwm2m_package.instance;
	int64_t silence = k_uptime_get() - wisp_lwm2m_package.last;

	if (instance == NULL) {
		return;
	}
	if (!wisp_lwm2m_package.delivered) {
		if (silence > (int64_t)CONFIG_WISP_LWM2M_IDLE_SECONDS * MSEC_PER_SEC) {
			fail(OUTCOME_CONNECTION_LOST);
		}
	} else if (silence > (int64_t)CONFIG_WISP_LWM2M_DELIVERED_SECONDS * MSEC_PER_SEC) {
		LOG_WRN("%s: the package was dropped, the server did not install it",
			wisp_lwm2m_name(instance));
		instance->kept.result = OUTCOME_INITIAL;
		wisp_lwm2m_end_package();
	}
}
