/* SPDX-License-Identifier: Apache-2.0 */

/* What is kept of an app that trapped, when a thread ends by a fault while it writes. */

#include <zephyr/ztest.h>

#include <wisp/host_function.h>
#include <wisp/wisp.h>

#include "app/kept.h"
#include "border/shim.h"

#define FIRST  WISP_APP_DT_GET(DT_PATH(wisp_apps, first))
#define SECOND WISP_APP_DT_GET(DT_PATH(wisp_apps, second))

/* The thread of the next run ends while it writes its core dump. */
static bool faults;

static uint32_t before(struct wisp_caller *caller, uint32_t *slots, const void *env)
{
	size_t size;

	ARG_UNUSED(slots);
	ARG_UNUSED(env);
	if (faults) {
		faults = false;
		(void)wisp_shim_core_begin(wisp_caller_app(caller), &size);
		/* As Zephyr does after a fault. */
		k_thread_abort(k_current_get());
	}
	return 0;
}
WISP_HOST_FUNCTION_DEFINE("test", "before", "()", before);

static void run(const struct wisp_app *app)
{
	zassert_ok(wisp_app_load_embedded(app, "trap"));
	zassert_ok(wisp_app_start(app));
	zassert_ok(wisp_app_join(app, K_SECONDS(60)));
}

static enum wisp_app_state state_of(const struct wisp_app *app)
{
	struct wisp_app_status status;

	wisp_app_status(app, &status);
	return status.state;
}

/* Reads the first byte of the core dump, or of the recording, of an app. */
static struct wisp_kept look_at_core(const struct wisp_app *app)
{
	struct wisp_kept kept = {0};
	uint8_t byte;

	wisp_kept_core(app, 0, &byte, sizeof(byte), &kept);
	return kept;
}

static struct wisp_kept look_at_recording(const struct wisp_app *app)
{
	struct wisp_kept kept = {0};
	uint8_t byte;

	wisp_kept_record(app, 0, &byte, sizeof(byte), &kept);
	zassert_not_equal(kept.generation, WISP_KEPT_RUNNING);
	return kept;
}

static size_t core(const struct wisp_app *app)
{
	return look_at_core(app).length;
}

static size_t recording(const struct wisp_app *app)
{
	return look_at_recording(app).length;
}

static void forget_all(void *fixture)
{
	ARG_UNUSED(fixture);
	wisp_core_forget(FIRST);
	wisp_core_forget(SECOND);
	wisp_record_forget(FIRST);
	wisp_record_forget(SECOND);
}

ZTEST_SUITE(kept, NULL, NULL, forget_all, NULL, NULL);

ZTEST(kept, test_an_app_that_traps_leaves_a_dump_and_a_recording)
{
	run(FIRST);
	zassert_equal(state_of(FIRST), WISP_APP_TRAPPED);
	zassert_true(core(FIRST) > 0);
	zassert_true(recording(FIRST) > 0);
	zassert_equal(core(SECOND), 0);
	zassert_equal(recording(SECOND), 0);
}

ZTEST(kept, test_what_is_kept_of_an_app_is_forgotten_alone)
{
	run(FIRST);
	wisp_core_forget(SECOND);
	wisp_record_forget(SECOND);
	zassert_true(core(FIRST) > 0);
	zassert_true(recording(FIRST) > 0);
	wisp_core_forget(FIRST);
	wisp_record_forget(FIRST);
	zassert_equal(core(FIRST), 0);
	zassert_equal(recording(FIRST), 0);
}

ZTEST(kept, test_who_reads_what_is_forgotten_meanwhile_begins_anew)
{
	uint32_t core_before;
	uint32_t recording_before;

	run(FIRST);
	core_before = look_at_core(FIRST).generation;
	recording_before = look_at_recording(FIRST).generation;
	zassert_equal(look_at_core(FIRST).generation, core_before);
	zassert_equal(look_at_recording(FIRST).generation, recording_before);
	wisp_core_forget(FIRST);
	wisp_record_forget(FIRST);
	zassert_not_equal(look_at_core(FIRST).generation, core_before);
	zassert_not_equal(look_at_recording(FIRST).generation, recording_before);
}

ZTEST(kept, test_a_fault_while_a_dump_is_written_leaves_the_others_theirs)
{
	faults = true;
	run(FIRST);
	/* Nobody has detected the fault. */
	run(SECOND);
	zassert_equal(state_of(SECOND), WISP_APP_TRAPPED);
	zassert_true(core(SECOND) > 0);
	zassert_true(recording(SECOND) > 0);
	zassert_equal(core(FIRST), 0);
	zassert_equal(recording(FIRST), 0);
	zassert_equal(state_of(FIRST), WISP_APP_FAILED);
}

ZTEST(kept, test_who_writes_a_dump_detects_the_fault_of_the_writer_before)
{
	/* Its recording is kept. So the next runs are not recorded, and detect nothing as they
	 * begin. */
	run(SECOND);
	faults = true;
	run(FIRST);
	run(SECOND);
	zassert_true(core(SECOND) > 0);
	zassert_equal(core(FIRST), 0);
}

ZTEST(kept, test_a_fault_while_a_dump_is_written_is_no_dump)
{
	run(FIRST);
	zassert_true(core(FIRST) > 0);
	wisp_record_forget(FIRST);
	faults = true;
	run(FIRST);
	zassert_equal(core(FIRST), 0);
	zassert_equal(recording(FIRST), 0);
	run(FIRST);
	zassert_true(core(FIRST) > 0);
	zassert_true(recording(FIRST) > 0);
}

ZTEST(kept, test_an_app_that_traps_while_another_dump_is_written_leaves_none)
{
	size_t size = 0;

	zassert_not_null(wisp_shim_core_begin(FIRST, &size));
	zassert_equal(size, CONFIG_WISP_CORE_DUMP_SIZE);
	run(SECOND);
	zassert_equal(state_of(SECOND), WISP_APP_TRAPPED);
	zassert_equal(core(SECOND), 0);
	/* Not even an app that goes takes the bytes from under the thread that writes them. */
	wisp_core_forget(FIRST);
	zassert_is_null(wisp_shim_core_begin(SECOND, &size));
	wisp_shim_core_end(7);
	zassert_equal(core(FIRST), 7);
	run(SECOND);
	zassert_true(core(SECOND) > 7);
}
