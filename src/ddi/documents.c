/* SPDX-License-Identifier: Apache-2.0 */

/* Documents of hawkBit's DDI: those that the server sends, and those that it gets. */

#include <ctype.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <zephyr/data/json.h>
#include <zephyr/kernel.h>
#include <zephyr/sys/crc.h>
#include <zephyr/sys/printk.h>
#include <zephyr/sys/util.h>

#include "app/shown.h"
#include "ddi/ddi.h"

/* Default and longest time between two polls, in seconds. */
#define SLEEP_DEFAULT 300
#define SLEEP_MAX     (30 * 86400)
/* Files that a software module may have. */
#define FILES_MAX     4
/* Number of attempts to read an action before it counts as failed. */
#define READS_MAX     6
/* Longest image, in bytes. */
#define LENGTH_MAX    (16 << 20)

char wisp_ddi_answer[CONFIG_WISP_DDI_ANSWER_SIZE];
struct wisp_ddi_action wisp_ddi_action;

/* The lines of a feedback, and what is around them. */
BUILD_ASSERT(CONFIG_WISP_DDI_ANSWER_SIZE >= 256 + CONFIG_WISP_DDI_APPS * WISP_DDI_WORDS_SIZE,
	     "CONFIG_WISP_DDI_ANSWER_SIZE is too small for a feedback about CONFIG_WISP_DDI_APPS");

static char url[CONFIG_WISP_DDI_URL_SIZE];
static size_t length;
/* The answer was longer than the buffer. */
static bool too_long;
/* Number of times in a row that the action could not be read. */
static uint32_t unreadable;

/* Takes a part of a document. */
static int take(const uint8_t *bytes, size_t count)
{
	if (count >= sizeof(wisp_ddi_answer) - length) {
		too_long = true;
		return wisp_ddi_say(WISP_DDI_PASSING,
				    "the answer is longer than %u bytes; see "
				    "CONFIG_WISP_DDI_ANSWER_SIZE",
				    (unsigned int)sizeof(wisp_ddi_answer) - 1);
	}
	memcpy(wisp_ddi_answer + length, bytes, count);
	length += count;
	return 0;
}

/* Gets a document. */
static int get(const char *address)
{
	const struct wisp_ddi_request request = {.method = HTTP_GET, .url = address, .take = take};
	int ret;

	length = 0;
	too_long = false;
	ret = wisp_ddi_ask(&request);
	wisp_ddi_answer[length] = '\0';
	/* Only what a document says ends an action. */
	return ret == WISP_DDI_LASTING ? WISP_DDI_PASSING : ret;
}

/* Writes the address of something below the device into `url`. */
static int make_url(const char *path, const char *id, const char *end)
{
	const char *server = wisp_ddi_identity.server;
	size_t size = strlen(server);
	int count;

	while (size > 0 && server[size - 1] == '/') {
		size--;
	}
	count = snprintk(url, sizeof(url), "%.*s/" CONFIG_WISP_DDI_TENANT "/controller/v1/%s%s%s%s",
			 (int)size, server, wisp_ddi_identity.device, path, id, end);
	return count > 0 && (size_t)count < sizeof(url)
		       ? 0
		       : wisp_ddi_say(WISP_DDI_LASTING,
				      "an address is longer than %u bytes; see "
				      "CONFIG_WISP_DDI_URL_SIZE",
				      (unsigned int)sizeof(url) - 1);
}

struct link {
	char *href;
};

static const struct json_obj_descr link_fields[] = {
	JSON_OBJ_DESCR_PRIM(struct link, href, JSON_TOK_STRING),
};

struct polling {
	const char *sleep;
};

struct config {
	struct polling polling;
};

struct poll_links {
	struct link deployment;
	struct link cancel;
	struct link config_data;
};

struct poll {
	struct config config;
	struct poll_links links;
};

static const struct json_obj_descr polling_fields[] = {
	JSON_OBJ_DESCR_PRIM(struct polling, sleep, JSON_TOK_STRING),
};

static const struct json_obj_descr config_fields[] = {
	JSON_OBJ_DESCR_OBJECT(struct config, polling, polling_fields),
};

static const struct json_obj_descr poll_links_fields[] = {
	JSON_OBJ_DESCR_OBJECT_NAMED(struct poll_links, "deploymentBase", deployment, link_fields),
	JSON_OBJ_DESCR_OBJECT_NAMED(struct poll_links, "cancelAction", cancel, link_fields),
	JSON_OBJ_DESCR_OBJECT_NAMED(struct poll_links, "configData", config_data, link_fields),
};

static const struct json_obj_descr poll_fields[] = {
	JSON_OBJ_DESCR_OBJECT(struct poll, config, config_fields),
	JSON_OBJ_DESCR_OBJECT_NAMED(struct poll, "_links", links, poll_links_fields),
};

struct hashes {
	const char *sha256;
};

struct file_links {
	struct link download;
	struct link download_http;
};

struct file {
	const char *filename;
	struct hashes hashes;
	int64_t size;
	struct file_links links;
};

struct chunk {
	const char *name;
	const char *version;
	struct file files[FILES_MAX];
	size_t file_count;
};

struct deployment {
	const char *update;
	const char *window;
	struct chunk chunks[CONFIG_WISP_DDI_APPS];
	size_t chunk_count;
};

struct action {
	struct deployment deployment;
};

static const struct json_obj_descr hashes_fields[] = {
	JSON_OBJ_DESCR_PRIM(struct hashes, sha256, JSON_TOK_STRING),
};

static const struct json_obj_descr file_links_fields[] = {
	JSON_OBJ_DESCR_OBJECT(struct file_links, download, link_fields),
	JSON_OBJ_DESCR_OBJECT_NAMED(struct file_links, "download-http", download_http, link_fields),
};

static const struct json_obj_descr file_fields[] = {
	JSON_OBJ_DESCR_PRIM(struct file, filename, JSON_TOK_STRING),
	JSON_OBJ_DESCR_OBJECT(struct file, hashes, hashes_fields),
	JSON_OBJ_DESCR_PRIM(struct file, size, JSON_TOK_INT64),
	JSON_OBJ_DESCR_OBJECT_NAMED(struct file, "_links", links, file_links_fields),
};

static const struct json_obj_descr chunk_fields[] = {
	JSON_OBJ_DESCR_PRIM(struct chunk, name, JSON_TOK_STRING),
	JSON_OBJ_DESCR_PRIM(struct chunk, version, JSON_TOK_STRING),
	JSON_OBJ_DESCR_OBJ_ARRAY_NAMED(struct chunk, "artifacts", files, FILES_MAX, file_count,
				       file_fields, ARRAY_SIZE(file_fields)),
};

static const struct json_obj_descr deployment_fields[] = {
	JSON_OBJ_DESCR_PRIM(struct deployment, update, JSON_TOK_STRING),
	JSON_OBJ_DESCR_PRIM_NAMED(struct deployment, "maintenanceWindow", window, JSON_TOK_STRING),
	JSON_OBJ_DESCR_OBJ_ARRAY(struct deployment, chunks, CONFIG_WISP_DDI_APPS, chunk_count,
				 chunk_fields, ARRAY_SIZE(chunk_fields)),
};

static const struct json_obj_descr action_fields[] = {
	JSON_OBJ_DESCR_OBJECT(struct action, deployment, deployment_fields),
};

struct stop {
	const char *id;
};

struct cancel {
	struct stop stop;
};

static const struct json_obj_descr stop_fields[] = {
	JSON_OBJ_DESCR_PRIM_NAMED(struct stop, "stopId", id, JSON_TOK_STRING),
};

static const struct json_obj_descr cancel_fields[] = {
	JSON_OBJ_DESCR_OBJECT_NAMED(struct cancel, "cancelAction", stop, stop_fields),
};

/* Only one document is read at a time. Outside of the stack, because it depends on the options. */
static union {
	struct poll poll;
	struct action action;
	struct cancel cancel;
} document;

/* Reads `HH:MM:SS` in seconds, or 0 if it is no time. */
static uint32_t seconds_of(const char *text)
{
	uint64_t total = 0;

	for (int i = 0; i < 3; i++) {
		char *end;
		unsigned long value;

		if (!isdigit((unsigned char)*text)) {
			return 0;
		}
		value = strtoul(text, &end, 10);
		if (*end != (i < 2 ? ':' : '\0') || value > SLEEP_MAX) {
			return 0;
		}
		total = total * 60 + value;
		text = end + 1;
	}
	return total <= SLEEP_MAX ? (uint32_t)MAX(total, 1) : 0;
}

/* Undoes the escapes of JSON that an address may have, in place. The library leaves them. */
static void unescape(char *text)
{
	char *to = text;

	if (text == NULL) {
		return;
	}
	for (; *text != '\0'; text++) {
		uint8_t code[2];

		if (text[0] == '\\' && text[1] == '/') {
			text++;
		} else if (strncmp(text, "\\u00", 4) == 0 && strlen(text) >= 6 &&
			   hex2bin(text + 4, 2, code, 1) == 1 && code[0] > ' ' && code[0] <= '~') {
			text += 5;
			*text = (char)code[0];
		}
		*to++ = *text;
	}
	*to = '\0';
}

int wisp_ddi_get_poll(struct wisp_ddi_poll_answer *poll)
{
	struct poll *read = &document.poll;
	int64_t fields;
	int ret = make_url("", "", "");

	if (ret == 0) {
		ret = get(url);
	}
	if (ret != 0) {
		return ret;
	}
	memset(read, 0, sizeof(*read));
	fields =
		json_obj_parse(wisp_ddi_answer, length, poll_fields, ARRAY_SIZE(poll_fields), read);
	/* Only a rollout server answers with a config: no answer of a proxy means no action. */
	if (fields < 0 || (fields & BIT(0)) == 0) {
		return wisp_ddi_say(WISP_DDI_PASSING,
				    "the server's answer to a poll cannot be read: error %d",
				    fields < 0 ? (int)-fields : 0);
	}
	unescape(read->links.deployment.href);
	unescape(read->links.cancel.href);
	*poll = (struct wisp_ddi_poll_answer){
		.sleep = read->config.polling.sleep == NULL
				 ? 0
				 : seconds_of(read->config.polling.sleep),
		.deployment = read->links.deployment.href,
		.cancel = read->links.cancel.href,
		.config_data = read->links.config_data.href,
	};
	if (poll->sleep == 0) {
		poll->sleep = SLEEP_DEFAULT;
	}
	return 0;
}

/* Returns whether bytes can be the id of an action, in an address and in the log. */
static bool is_id(const char *text, size_t count, size_t size)
{
	for (size_t i = 0; i < count; i++) {
		if (!isalnum((unsigned char)text[i]) && strchr("-._~", text[i]) == NULL) {
			return false;
		}
	}
	return count > 0 && count < size;
}

bool wisp_ddi_id_of(const char *link, const char *kind, char *id, size_t size)
{
	const char *at = strstr(link, kind);
	size_t count;

	if (at == NULL) {
		return false;
	}
	at += strlen(kind);
	count = strcspn(at, "?#");
	if (!is_id(at, count, size)) {
		return false;
	}
	memcpy(id, at, count);
	id[count] = '\0';
	return true;
}

static bool ends_with(const char *text, const char *end)
{
	size_t size = strlen(text);

	return size >= strlen(end) && strcmp(text + size - strlen(end), end) == 0;
}

/* Reads a software module. Returns its address, or NULL and says why there is none. */
static const char *read_part(const struct chunk *chunk, struct wisp_ddi_part *part)
{
	const struct file *image = NULL;
	char *href;
	size_t images = 0;
	const int for_version = WISP_DDI_MODULE_SIZE / 3;
	const int for_name = WISP_DDI_MODULE_SIZE - for_version;

	/* Name and version are cut off, so that both have room. */
	snprintk(part->module, sizeof(part->module), "%.*s %.*s", for_name - 1,
		 chunk->name == NULL ? "?" : chunk->name, for_version - 1,
		 chunk->version == NULL ? "?" : chunk->version);
	wisp_ddi_clean(part->module);
	for (size_t i = 0; i < chunk->file_count; i++) {
		if (chunk->files[i].filename != NULL &&
		    ends_with(chunk->files[i].filename, ".wisp")) {
			image = &chunk->files[i];
			images++;
		}
	}
	if (images != 1) {
		wisp_ddi_say(0,
			     "%s: the software module has %u artifacts that end with .wisp; "
			     "expected one",
			     part->module, (unsigned int)images);
		return NULL;
	}
	href = image->links.download.href;
	if (href == NULL ||
	    (!IS_ENABLED(CONFIG_WISP_DDI_TLS) && image->links.download_http.href != NULL)) {
		href = image->links.download_http.href;
	}
	if (href == NULL) {
		wisp_ddi_say(0, "%s: the server names no address for this artifact", part->module);
		return NULL;
	}
	unescape(href);
	if (strlen(href) >= sizeof(wisp_ddi_action.url)) {
		wisp_ddi_say(0,
			     "%s: the artifact's address is longer than %u bytes; see "
			     "CONFIG_WISP_DDI_URL_SIZE",
			     part->module, (unsigned int)sizeof(wisp_ddi_action.url) - 1);
		return NULL;
	}
	if (image->hashes.sha256 == NULL || strlen(image->hashes.sha256) != 64 ||
	    hex2bin(image->hashes.sha256, 64, part->hash, sizeof(part->hash)) !=
		    sizeof(part->hash)) {
		wisp_ddi_say(0, "%s: the server names no SHA-256 for this artifact", part->module);
		return NULL;
	}
	if (image->size < 1 || image->size > LENGTH_MAX) {
		wisp_ddi_say(0, "%s: the artifact's size is not from 1 to %u", part->module,
			     (unsigned int)LENGTH_MAX);
		return NULL;
	}
	part->size = (uint32_t)image->size;
	return href;
}

void wisp_ddi_forget_action(void)
{
	wisp_ddi_action.count = 0;
	unreadable = 0;
}

/* Returns the trouble that a document is which is complete and cannot be read. */
static int unreadable_trouble(void)
{
	unreadable = MIN(unreadable + 1, READS_MAX);
	return unreadable < READS_MAX ? WISP_DDI_PASSING : WISP_DDI_LASTING;
}

/* Returns whether a software module comes before another one: by their names, then by hashes. */
static bool is_before(const struct wisp_ddi_part *a, const struct wisp_ddi_part *b)
{
	int order = strcmp(a->module, b->module);

	return order < 0 || (order == 0 && memcmp(a->hash, b->hash, sizeof(a->hash)) < 0);
}

/* Puts the last of some software modules at its place among those before it. */
static void sort_in(struct wisp_ddi_part *parts, const char **hrefs, size_t last)
{
	for (; last > 0 && is_before(&parts[last], &parts[last - 1]); last--) {
		struct wisp_ddi_part part = parts[last];
		const char *href = hrefs[last];

		parts[last] = parts[last - 1];
		parts[last - 1] = part;
		hrefs[last] = hrefs[last - 1];
		hrefs[last - 1] = href;
	}
}

int wisp_ddi_get_action(const char *address, size_t wanted)
{
	struct deployment *deployment = &document.action.deployment;
	struct wisp_ddi_action *action = &wisp_ddi_action;
	const char *hrefs[CONFIG_WISP_DDI_APPS];
	int64_t fields;
	int ret = get(address);

	if (ret != 0) {
		return too_long ? unreadable_trouble() : ret;
	}
	memset(&document.action, 0, sizeof(document.action));
	fields = json_obj_parse(wisp_ddi_answer, length, action_fields, ARRAY_SIZE(action_fields),
				&document.action);
	action->count = 0;
	action->url[0] = '\0';
	if (fields == -ENOSPC) {
		return wisp_ddi_say(WISP_DDI_LASTING,
				    "the action has more than %u software modules; make several "
				    "actions",
				    CONFIG_WISP_DDI_APPS);
	}
	if (fields < 0 || (fields & BIT(0)) == 0) {
		return wisp_ddi_say(unreadable_trouble(),
				    "the server's action cannot be read: error %d",
				    fields < 0 ? (int)-fields : 0);
	}
	unreadable = 0;
	action->held =
		(deployment->update != NULL && strcmp(deployment->update, "skip") == 0) ||
		(deployment->window != NULL && strcmp(deployment->window, "unavailable") == 0);
	for (size_t i = 0; i < deployment->chunk_count; i++) {
		hrefs[i] = read_part(&deployment->chunks[i], &action->parts[i]);
		if (hrefs[i] == NULL) {
			return WISP_DDI_LASTING;
		}
		/* A set of modules has no order, so the server may name another one each time. */
		sort_in(action->parts, hrefs, i);
	}
	if (deployment->chunk_count == 0) {
		return wisp_ddi_say(WISP_DDI_LASTING,
				    "the action has no software module; assign a distribution set "
				    "with one for each app");
	}
	action->count = deployment->chunk_count;
	if (wanted < action->count) {
		strcpy(action->url, hrefs[wanted]);
	}
	return 0;
}

int wisp_ddi_get_cancel(const char *wish, char *action, size_t size)
{
	struct cancel *cancel = &document.cancel;
	int ret = make_url("/cancelAction/", wish, "");

	if (ret == 0) {
		ret = get(url);
	}
	if (ret != 0) {
		return ret;
	}
	memset(cancel, 0, sizeof(*cancel));
	if (json_obj_parse(wisp_ddi_answer, length, cancel_fields, ARRAY_SIZE(cancel_fields),
			   cancel) < 0 ||
	    cancel->stop.id == NULL || !is_id(cancel->stop.id, strlen(cancel->stop.id), size)) {
		return wisp_ddi_say(WISP_DDI_PASSING,
				    "the server's request to cancel cannot be read");
	}
	strcpy(action, cancel->stop.id);
	return 0;
}

/* A text that is put together in the buffer of answers. */
static bool fits;

static void put(const char *format, ...)
{
	va_list args;
	int count;

	va_start(args, format);
	count = vsnprintk(wisp_ddi_answer + length, sizeof(wisp_ddi_answer) - length, format, args);
	va_end(args);
	if (count < 0 || (size_t)count >= sizeof(wisp_ddi_answer) - length) {
		fits = false;
	} else {
		length += (size_t)count;
	}
}

/* Appends a string of JSON. */
static void put_string(const char *text)
{
	put("\"");
	for (; *text != '\0'; text++) {
		if (*text == '"' || *text == '\\') {
			put("\\%c", *text);
		} else {
			put("%c", wisp_shown(*text));
		}
	}
	put("\"");
}

static int send(enum http_method method)
{
	const struct wisp_ddi_request request = {
		.method = method, .url = url, .body = wisp_ddi_answer};

	return fits ? wisp_ddi_ask(&request)
		    : wisp_ddi_say(WISP_DDI_PASSING, "what is to be told is longer than "
						     "CONFIG_WISP_DDI_ANSWER_SIZE");
}

static void begin(void)
{
	length = 0;
	fits = true;
}

int wisp_ddi_tell(const struct wisp_ddi_feedback *feedback)
{
	static const char *const words[][2] = {
		[WISP_DDI_TELL_PROCEEDING] = {"proceeding", "none"},
		[WISP_DDI_TELL_SUCCESS] = {"closed", "success"},
		[WISP_DDI_TELL_FAILURE] = {"closed", "failure"},
		[WISP_DDI_TELL_REJECTED] = {"rejected", "none"},
	};
	static const char end[] = "]}}";
	char path[24];
	int ret;

	snprintk(path, sizeof(path), "/%s/", feedback->kind);
	ret = make_url(path, feedback->id, "/feedback");
	if (ret != 0) {
		return ret;
	}
	begin();
	put("{\"id\":\"%s\",\"status\":{\"execution\":\"%s\",\"result\":{\"finished\":\"%s\"",
	    feedback->id, words[feedback->state][0], words[feedback->state][1]);
	if (feedback->of != 0) {
		put(",\"progress\":{\"cnt\":%u,\"of\":%u}", feedback->done, feedback->of);
	}
	put("},\"details\":[");
	for (size_t i = 0; fits && i < feedback->detail_count; i++) {
		size_t before = length;

		put(i == 0 ? "" : ",");
		put_string(feedback->details[i]);
		/* A line for which there is no room is left out, with those after it. */
		if (!fits || sizeof(wisp_ddi_answer) - length <= strlen(end)) {
			length = before;
			fits = true;
			break;
		}
	}
	put("%s", end);
	return send(HTTP_POST);
}

int wisp_ddi_tell_attributes(void)
{
	int ret = make_url("/configData", "", "");

	if (ret != 0) {
		return ret;
	}
	begin();
	put("{\"mode\":\"merge\",\"data\":{\"board\":\"" CONFIG_BOARD_TARGET "\"");
	for (uint32_t slot = 0; slot < WISP_STORE_SLOTS; slot++) {
		struct wisp_store_app app;
		char name[WISP_STORE_NAME_SIZE + 4];

		if (wisp_store_get(slot, &app) != 0 ||
		    (app.running.length == 0 && app.candidate.length == 0)) {
			continue;
		}
		snprintk(name, sizeof(name), "app.%s", app.name);
		put(",");
		put_string(name);
		if (app.running.length == 0) {
			put(":\"none\"");
			continue;
		}
		put(":\"%u.%u.%u%s\"", (unsigned int)(app.running.version & 0xff),
		    (unsigned int)((app.running.version >> 8) & 0xff),
		    (unsigned int)(app.running.version >> 16), app.disabled ? " disabled" : "");
	}
	put("},\"status\":{\"execution\":\"closed\",\"result\":{\"finished\":\"success\"},"
	    "\"details\":[]}}");
	return send(HTTP_PUT);
}
