/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The client of a rollout server: polls the server, and carries an action out to its end. Each step
 * is in the record before the next one begins, and the app storage knows the rest. So a reset may
 * come at any point.
 */

#include <string.h>

#include <zephyr/kernel.h>
#include <zephyr/logging/log.h>
#include <zephyr/random/random.h>
#include <zephyr/sys/crc.h>
#include <zephyr/sys/printk.h>

#include "ddi/ddi.h"

LOG_MODULE_REGISTER(wisp_ddi, CONFIG_WISP_LOG_LEVEL);

/* Longest wait after failures, in seconds. */
#define LONGEST_WAIT 300
/* Milliseconds between two checks of an update on trial. */
#define LOOK_MS      1000

/* Shared with the functions of include/wisp/ddi.h. */
static struct wisp_ddi_status status;
static K_MUTEX_DEFINE(lock);
static K_SEM_DEFINE(wake, 0, 1);
static int64_t wakes_at;

/* Used by the client's thread only. */
static struct {
	/* Uptime of the next poll, in milliseconds. */
	int64_t next_poll;
	/* The server named the action in the last poll, and wisp_ddi_action has it. */
	bool offered;
	/* The address in wisp_ddi_action is that of the present part, and fresh. */
	bool fresh;
	/*
	 * Milliseconds until the end of a trial while the server cannot be reached, or UINT32_MAX.
	 */
	uint32_t trial_ms;
	/* Link to the action. */
	char link[CONFIG_WISP_DDI_URL_SIZE];
} client;

/* Texts of a feedback. */
static char lines[CONFIG_WISP_DDI_APPS][WISP_DDI_WORDS_SIZE];
static const char *details[CONFIG_WISP_DDI_APPS];

void wisp_ddi_status(struct wisp_ddi_status *out)
{
	int64_t now = k_uptime_get();

	(void)k_mutex_lock(&lock, K_FOREVER);
	*out = status;
	out->next_ms = (uint32_t)MAX(wakes_at - now, 0);
	(void)k_mutex_unlock(&lock);
}

/* Shows what the record and the action say. */
void wisp_ddi_show(enum wisp_ddi_phase phase, uint32_t bytes)
{
	const struct wisp_ddi_record *record = &wisp_ddi_record;
	const struct wisp_ddi_part *part = &wisp_ddi_action.parts[record->part];
	bool known = record->part < wisp_ddi_action.count;

	(void)k_mutex_lock(&lock, K_FOREVER);
	status.phase = phase;
	strcpy(status.action, record->id);
	strcpy(status.module, known ? part->module : "");
	status.bytes = bytes;
	status.size = known ? part->size : 0;
	(void)k_mutex_unlock(&lock);
}

/* Schedules the next poll after about this many seconds. */
static void poll_in(uint32_t seconds)
{
	/* The time varies by a tenth, so that many devices do not poll at once. */
	uint64_t ms = (uint64_t)seconds * (900 + sys_rand32_get() % 201);

	client.next_poll = k_uptime_get() + (int64_t)ms;
}

/* Forgets the action, and remembers how it ended. */
static int forget(const char *word, const char *text)
{
	LOG_INF("action %s: %s%s%s", wisp_ddi_record.id, word, text[0] == '\0' ? "" : ": ", text);
	(void)k_mutex_lock(&lock, K_FOREVER);
	snprintk(status.last, sizeof(status.last), "action %s: %s%s%s", wisp_ddi_record.id, word,
		 text[0] == '\0' ? "" : ": ", text);
	(void)k_mutex_unlock(&lock);
	client.offered = false;
	wisp_ddi_forget_action();
	wisp_ddi_begin_tries();
	return wisp_ddi_record_delete();
}

/* Writes the lines of a feedback about the whole action. Returns their number. */
static size_t write_lines(void)
{
	const struct wisp_ddi_record *record = &wisp_ddi_record;
	size_t count = MAX(wisp_ddi_action.count, 1);

	for (size_t i = 0; i < count; i++) {
		const struct wisp_ddi_part *part = &wisp_ddi_action.parts[i];
		char *line = lines[i];
		struct wisp_store_app app;
		enum wisp_ddi_look look;

		details[i] = line;
		if (wisp_ddi_action.count == 0 || i == record->part) {
			strcpy(line, record->reason);
		} else if (i < record->part) {
			if (wisp_ddi_look_for(part->hash, &look, &app) == 0 &&
			    look != WISP_DDI_LOOK_ABSENT) {
				const struct wisp_store_image *image =
					wisp_ddi_is_image(&app.running, part->hash)
						? &app.running
						: &app.candidate;

				snprintk(line, sizeof(lines[i]), "%s " VERSION_FORMAT ": kept",
					 app.name, VERSION(image->version));
			} else {
				snprintk(line, sizeof(lines[i]), "%s: kept", part->module);
			}
		} else {
			snprintk(line, sizeof(lines[i]), "%s: not installed, because %s failed",
				 part->module, wisp_ddi_action.parts[record->part].module);
		}
	}
	return count;
}

/* Reports the progress of the action to the server. The action goes on if that fails. */
void wisp_ddi_progress(const char *what)
{
	const struct wisp_ddi_record *record = &wisp_ddi_record;
	struct wisp_ddi_feedback feedback = {
		.kind = "deploymentBase",
		.id = record->id,
		.state = WISP_DDI_TELL_PROCEEDING,
		.done = record->part,
		.of = wisp_ddi_action.count,
		.details = details,
		.detail_count = 1,
	};

	snprintk(lines[0], sizeof(lines[0]), "%s " VERSION_FORMAT ": %s", record->app,
		 VERSION(record->version), what);
	details[0] = lines[0];
	LOG_INF("action %s: %s", record->id, lines[0]);
	(void)wisp_ddi_tell(&feedback);
}

/* Reports the end of the action to the server, and forgets the action once the server has it. */
static int deliver(void)
{
	struct wisp_ddi_record *record = &wisp_ddi_record;
	bool success = record->verdict == WISP_DDI_SUCCESS;
	struct wisp_ddi_feedback feedback = {
		.kind = "deploymentBase",
		.id = record->id,
		.state = success ? WISP_DDI_TELL_SUCCESS : WISP_DDI_TELL_FAILURE,
		.done = record->part,
		.of = wisp_ddi_action.count,
		.details = details,
	};
	int ret;

	wisp_ddi_show(WISP_DDI_PHASE_REPORTING, 0);
	/* An action that the server does not name any more has no parts here. */
	if (!client.offered) {
		wisp_ddi_action.count = 0;
		feedback.of = 0;
	}
	if (wisp_ddi_action.count != 0 || !success) {
		feedback.detail_count = write_lines();
	}
	ret = wisp_ddi_tell(&feedback);
	if (ret == WISP_DDI_GONE) {
		/* A proxy may have answered. If the server ended the action, no poll names it. */
		if (client.offered) {
			return WISP_DDI_PASSING;
		}
		LOG_INF("action %s: the server ended it before", record->id);
		ret = 0;
	}
	return ret != 0 ? ret : forget(success ? "succeeded" : "failed", record->reason);
}

/* Returns a checksum of the images of an action, which is not 0. */
static uint32_t parts_of(const struct wisp_ddi_action *action)
{
	uint32_t sum = 0;

	for (size_t i = 0; i < action->count; i++) {
		sum = crc32_ieee_update(sum, action->parts[i].hash, sizeof(action->parts[i].hash));
	}
	return MAX(sum, 1);
}

/* Begins an action of the server, or goes on with it if it is the present one. */
static int adopt(const char *id)
{
	struct wisp_ddi_record *record = &wisp_ddi_record;
	bool known = strcmp(record->id, id) == 0;
	int ret = wisp_ddi_get_action(client.link, known ? record->part : 0);
	uint32_t parts;

	if (ret != 0 && ret != WISP_DDI_LASTING) {
		return ret;
	}
	client.offered = true;
	client.fresh = ret == 0;
	parts = ret == 0 ? parts_of(&wisp_ddi_action) : 0;
	/* The server may have begun its numbers anew, so the old action is not reported to it. */
	if (known && record->parts == parts) {
		return 0;
	}
	if (record->id[0] != '\0') {
		LOG_INF("action %s: %s", record->id,
			known ? "the server changed it" : "another one took its place");
		wisp_ddi_give_up();
	}
	memset(record, 0, sizeof(*record));
	strcpy(record->id, id);
	record->who = wisp_ddi_who();
	wisp_ddi_begin_tries();
	if (ret != 0) {
		wisp_ddi_action.count = 0;
		return wisp_ddi_fail(wisp_ddi_words(), "");
	}
	record->parts = parts;
	LOG_INF("action %s: %u software modules", id, wisp_ddi_action.count);
	ret = wisp_ddi_record_write();
	if (ret == 0 && known) {
		/* The address may be that of another part, and may change again soon. */
		client.fresh = false;
		ret = wisp_ddi_say(WISP_DDI_PASSING, "the server changed action %s", id);
	}
	return ret;
}

/* Fulfils a request to cancel an action, or says why not. */
static int cancel(const char *wish)
{
	char action[WISP_DDI_ID_SIZE];
	const char *words = NULL;
	struct wisp_ddi_feedback feedback = {
		.kind = "cancelAction",
		.id = wish,
		.state = WISP_DDI_TELL_SUCCESS,
		.details = &words,
		.detail_count = 1,
	};
	bool mine;
	int ret = wisp_ddi_get_cancel(wish, action, sizeof(action));

	if (ret != 0) {
		return ret == WISP_DDI_GONE ? 0 : ret;
	}
	mine = strcmp(action, wisp_ddi_record.id) == 0;
	if (mine) {
		ret = wisp_ddi_undo(&words);
		if (ret == WISP_DDI_PASSING) {
			return ret;
		}
		if (ret != 0) {
			words = wisp_ddi_words();
		}
	}
	if (words != NULL) {
		feedback.state = WISP_DDI_TELL_REJECTED;
	} else {
		words = mine ? "what the action did was undone" : "the action was not begun";
	}
	/* The text is written before its buffer is used for something else. */
	snprintk(lines[0], sizeof(lines[0]), "%s", words);
	words = lines[0];
	LOG_INF("action %s is to be cancelled: %s", action, words);
	ret = wisp_ddi_tell(&feedback);
	if (ret != 0 && ret != WISP_DDI_GONE) {
		return ret;
	}
	return mine && feedback.state == WISP_DDI_TELL_SUCCESS ? forget("canceled", "") : 0;
}

/* Leaves an action that the server does not have any more. A trial is left to the app storage. */
static int leave(void)
{
	client.offered = false;
	if (wisp_ddi_record.id[0] == '\0') {
		wisp_ddi_forget_action();
		return 0;
	}
	if (wisp_ddi_record.verdict != WISP_DDI_OPEN) {
		return deliver();
	}
	wisp_ddi_give_up();
	return forget("canceled", "the server ended it");
}

/* Polls the server. */
static int poll(void)
{
	struct wisp_ddi_poll_answer answer;
	char deployment[WISP_DDI_ID_SIZE];
	char wish[WISP_DDI_ID_SIZE];
	bool told;
	bool cancels;
	int ret = wisp_ddi_identify();

	if (ret == 0 && wisp_ddi_record.id[0] != '\0' && wisp_ddi_record.who != wisp_ddi_who()) {
		wisp_ddi_give_up();
		ret = forget("forgotten", "the server or the device's id was changed");
	}
	if (ret == 0) {
		ret = wisp_ddi_get_poll(&answer);
	}
	if (ret != 0) {
		return ret;
	}
	poll_in(MAX(answer.sleep, CONFIG_WISP_DDI_RETRY_SECONDS));
	/* The texts of the answer are valid until the next request. */
	told = answer.config_data == NULL;
	cancels = answer.cancel != NULL;
	if (cancels && !wisp_ddi_id_of(answer.cancel, "/cancelAction/", wish, sizeof(wish))) {
		return wisp_ddi_say(WISP_DDI_PASSING,
				    "the server's link to a request to cancel has no id");
	}
	client.link[0] = '\0';
	if (answer.deployment != NULL) {
		if (strlen(answer.deployment) >= sizeof(client.link) ||
		    !wisp_ddi_id_of(answer.deployment, "/deploymentBase/", deployment,
				    sizeof(deployment))) {
			return wisp_ddi_say(WISP_DDI_PASSING,
					    "the server's link to the action has no id, or more "
					    "than %u bytes",
					    (unsigned int)sizeof(client.link) - 1);
		}
		if (!wisp_ddi_is_own(answer.deployment)) {
			return wisp_ddi_say(WISP_DDI_PASSING,
					    "the server's link %.80s leads away from %s; let it "
					    "name that address",
					    answer.deployment, wisp_ddi_identity.server);
		}
		strcpy(client.link, answer.deployment);
	}
	if (cancels) {
		/*
		 * The server may have another action already, and does not name this one meanwhile.
		 */
		poll_in(CONFIG_WISP_DDI_RETRY_SECONDS);
		client.offered = client.offered && client.link[0] != '\0';
		return cancel(wish);
	}
	if (!told && wisp_ddi_tell_attributes() != 0) {
		LOG_WRN("the server does not take the attributes: %s", wisp_ddi_words());
	}
	if (client.link[0] == '\0') {
		return leave();
	}
	ret = adopt(deployment);
	if (ret == WISP_DDI_GONE) {
		poll_in(CONFIG_WISP_DDI_RETRY_SECONDS);
		client.offered = false;
		return 0;
	}
	return ret;
}

/* Returns true if the action has a step to do now. */
static bool has_step(void)
{
	return client.offered && wisp_ddi_record.verdict == WISP_DDI_OPEN &&
	       (!wisp_ddi_action.held || wisp_ddi_record.step == WISP_DDI_TRIAL);
}

/* Gets the address of the image that the next step needs, if need be. */
static int prepare(void)
{
	char id[WISP_DDI_ID_SIZE];

	if (!has_step() || wisp_ddi_record.step == WISP_DDI_TRIAL || client.fresh) {
		return 0;
	}
	/* Addresses may expire, and each part has its own. */
	strcpy(id, wisp_ddi_record.id);
	return adopt(id);
}

/* Polls the server if it is time, and does the next step. Returns a trouble or 0. */
static int turn(void)
{
	int ret = 0;

	client.fresh = false;
	client.trial_ms = UINT32_MAX;
	if (wisp_ddi_record.step == WISP_DDI_INSTALLING) {
		ret = wisp_ddi_settle();
	}
	if (ret == 0 && k_uptime_get() >= client.next_poll) {
		ret = poll();
	}
	if (ret == 0) {
		ret = prepare();
	}
	if (ret != 0) {
		client.trial_ms = wisp_ddi_watch();
		/* The next turn polls the server again. */
		client.next_poll = 0;
		return ret;
	}
	/* The action may have changed, or be held now. */
	if (has_step()) {
		if (client.fresh || wisp_ddi_record.step == WISP_DDI_TRIAL) {
			ret = wisp_ddi_step();
		}
	} else if (client.offered && wisp_ddi_record.verdict == WISP_DDI_OPEN) {
		wisp_ddi_show(WISP_DDI_PHASE_HOLDING, 0);
	}
	if (ret == 0 && wisp_ddi_record.verdict != WISP_DDI_OPEN && client.offered) {
		ret = deliver();
		if (ret == 0) {
			poll_in(CONFIG_WISP_DDI_RETRY_SECONDS);
		}
	}
	if (ret == 0 && wisp_ddi_record.id[0] == '\0') {
		wisp_ddi_show(WISP_DDI_PHASE_IDLE, 0);
	}
	return ret;
}

/* Returns the milliseconds until the next turn. */
static uint32_t pause_ms(int ret)
{
	static uint32_t failures;
	uint64_t most;
	int64_t until = client.next_poll - k_uptime_get();

	if (wisp_ddi_went_on() || ret == 0) {
		failures = 0;
	}
	failures += ret != 0;
	(void)k_mutex_lock(&lock, K_FOREVER);
	status.failures = failures;
	snprintk(status.trouble, sizeof(status.trouble), "%s", ret == 0 ? "" : wisp_ddi_words());
	(void)k_mutex_unlock(&lock);
	if (ret == 0) {
		return has_step() ? (uint32_t)CLAMP(until, 0, LOOK_MS) : (uint32_t)MAX(until, 0);
	}
	LOG_WRN("%s", wisp_ddi_words());
	most = (uint64_t)CONFIG_WISP_DDI_RETRY_SECONDS << MIN(failures - 1, 16);
	most = MIN(most, LONGEST_WAIT) * MSEC_PER_SEC;
	/* Between half of that and all of it. */
	most = most / 2 + sys_rand32_get() % (uint32_t)(most / 2 + 1);
	most = MAX(most, (uint64_t)wisp_ddi_asked_wait() * MSEC_PER_SEC);
	return (uint32_t)MIN(most, client.trial_ms);
}

void wisp_ddi_poll(void)
{
	k_sem_give(&wake);
}

static void run(void *a, void *b, void *c)
{
	ARG_UNUSED(a);
	ARG_UNUSED(b);
	ARG_UNUSED(c);
	(void)wisp_ddi_identify();
	wisp_ddi_record_read();
	/* Many devices may get power at once. */
	(void)k_sem_take(&wake,
			 K_MSEC(sys_rand32_get() % (CONFIG_WISP_DDI_RETRY_SECONDS * MSEC_PER_SEC)));
	for (;;) {
		uint32_t wait = pause_ms(turn());

		(void)k_mutex_lock(&lock, K_FOREVER);
		wakes_at = k_uptime_get() + wait;
		(void)k_mutex_unlock(&lock);
		if (k_sem_take(&wake, K_MSEC(wait)) == 0) {
			client.next_poll = 0;
		}
	}
}

K_THREAD_DEFINE(wisp_ddi, CONFIG_WISP_DDI_STACK_SIZE, run, NULL, NULL, NULL,
		CONFIG_WISP_DDI_PRIORITY, 0, 0);
