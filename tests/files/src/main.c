/* SPDX-License-Identifier: Apache-2.0 */

/* Files of WASI programs in folders under grant, on LittleFS in simulated flash. */

#include <stdio.h>
#include <string.h>

#include <zephyr/fs/fs.h>
#include <zephyr/fs/fs_sys.h>
#include <zephyr/fs/littlefs.h>
#include <zephyr/storage/flash_map.h>
#include <zephyr/ztest.h>

#include <wisp/wisp.h>

#define APP(name) WISP_APP_DT_GET(DT_PATH(wisp_apps, name))

FS_LITTLEFS_DECLARE_DEFAULT_CONFIG(data);

static struct fs_mount_t mount = {
	.type = FS_LITTLEFS,
	.fs_data = &data,
	.storage_dev = (void *)FIXED_PARTITION_ID(files_partition),
	.mnt_point = "/lfs",
};

static void put(const char *path, const char *text)
{
	struct fs_file_t file;

	fs_file_t_init(&file);
	zassert_ok(fs_open(&file, path, FS_O_CREATE | FS_O_WRITE));
	zassert_equal(fs_write(&file, text, strlen(text)), strlen(text));
	zassert_ok(fs_close(&file));
}

/* Each test begins with an empty file system but for what the firmware gives to its apps. */
static void prepare(void *fixture)
{
	ARG_UNUSED(fixture);
	(void)fs_unmount(&mount);
	zassert_ok(fs_mkfs(FS_LITTLEFS, (uintptr_t)mount.storage_dev, NULL, 0));
	zassert_ok(fs_mount(&mount));
	zassert_ok(fs_mkdir("/lfs/shared"));
	put("/lfs/shared/greeting", "hello");
	put("/lfs/secret", "not for apps");
}

ZTEST_SUITE(files, NULL, NULL, prepare, NULL, NULL);

static struct wisp_app_status run(const struct wisp_app *app, const char *what)
{
	struct wisp_app_status status;

	zassert_ok(wisp_app_load_embedded(app, "files"));
	zassert_ok(wisp_app_set_args(app, 1, &what));
	zassert_ok(wisp_app_start(app));
	zassert_ok(wisp_app_join(app, K_SECONDS(60)));
	wisp_app_status(app, &status);
	return status;
}

static void succeed(const struct wisp_app *app, const char *what)
{
	struct wisp_app_status status = run(app, what);

	zassert_equal(status.state, WISP_APP_EXITED, "%s: state %d, trap %d, error %d", what,
		      status.state, status.trap, status.error);
	zassert_equal(status.exit_status, 0, "%s: line %d of guests/files.c", what,
		      status.exit_status);
}

static size_t size_of(const char *path)
{
	struct fs_dirent entry;

	zassert_ok(fs_stat(path, &entry), "%s", path);
	return entry.size;
}

static bool exists(const char *path)
{
	struct fs_dirent entry;

	return fs_stat(path, &entry) == 0;
}

/* Starts an app that opens a file and spins. */
static void spin(const struct wisp_app *app)
{
	const char *what = "spin";

	zassert_ok(wisp_app_load_embedded(app, "files"));
	zassert_ok(wisp_app_set_args(app, 1, &what));
	zassert_ok(wisp_app_start(app));
	while (!exists("/lfs/writer/spin")) {
		k_msleep(1);
	}
}

ZTEST(files, test_a_program_writes_reads_lists_renames_and_removes)
{
	struct wisp_app_usage usage;

	succeed(APP(writer), "write");
	/* The firmware sees it where the node says. */
	zassert_equal(size_of("/lfs/writer/notes/kept"), 1300);
	zassert_false(exists("/lfs/writer/first"));
	zassert_false(exists("/lfs/writer/gone"));
	/* Another run finds it. */
	succeed(APP(writer), "again");

	wisp_app_usage(APP(writer), &usage);
	/* A directory of two blocks, a file of three blocks, 64 bytes for each. */
	zassert_equal(usage.files_used, 5 * 512 + 2 * 64);
	zassert_equal(usage.files_refused, 0);
	TC_PRINT("native stack: %u bytes\n", usage.stack);
}

ZTEST(files, test_no_path_leads_out_of_the_folder)
{
	succeed(APP(writer), "escape");
	zassert_equal(size_of("/lfs/secret"), strlen("not for apps"));
	zassert_false(exists("/lfs/outside"));
}

ZTEST(files, test_what_is_written_is_bounded_by_the_quota)
{
	struct wisp_app_usage before;
	struct wisp_app_usage usage;

	wisp_app_usage(APP(writer), &before);
	succeed(APP(writer), "fill");
	wisp_app_usage(APP(writer), &usage);
	zassert_true(usage.files_refused > before.files_refused);
	/* 15 blocks of 512 bytes and 64 for its name are what fits into 8192. */
	zassert_equal(size_of("/lfs/writer/large"), 15 * 512);
	/* The next run begins where the last one ended. */
	succeed(APP(writer), "full");
	zassert_false(exists("/lfs/writer/large"));
}

ZTEST(files, test_a_folder_that_is_read_only_stays_as_it_is)
{
	succeed(APP(writer), "look");
	zassert_equal(size_of("/lfs/shared/greeting"), strlen("hello"));
	zassert_false(exists("/lfs/shared/new"));
}

ZTEST(files, test_what_is_open_is_bounded_and_is_closed_when_the_app_ends)
{
	/* The file system has 8 files for all: what stayed open would be missed. */
	for (int i = 0; i < 4; i++) {
		succeed(APP(writer), "leak");
	}
	zassert_equal(run(APP(writer), "trap").state, WISP_APP_TRAPPED);
	succeed(APP(writer), "leak");
	zassert_equal(size_of("/lfs/writer/leak1"), 4);
}

ZTEST(files, test_a_file_that_is_written_is_open_once)
{
	succeed(APP(writer), "busy");
}

ZTEST(files, test_a_folder_that_is_disabled_is_not_granted)
{
	succeed(APP(neighbour), "neighbour");
	zassert_equal(size_of("/lfs/shared/greeting"), strlen("hello, too"));
	zassert_false(exists("/lfs/refused"));
}

ZTEST(files, test_without_a_file_system_a_folder_cannot_be_used)
{
	succeed(APP(homeless), "homeless");
}

ZTEST(files, test_a_directory_is_emptied_while_it_is_listed)
{
	succeed(APP(writer), "sweep");
}

ZTEST(files, test_a_stop_closes_what_the_app_has_open)
{
	struct wisp_app_status status;

	spin(APP(writer));
	zassert_ok(wisp_app_stop(APP(writer)));
	zassert_ok(wisp_app_join(APP(writer), K_SECONDS(60)));
	wisp_app_status(APP(writer), &status);
	zassert_equal(status.state, WISP_APP_STOPPED);
	/* Nothing is open: it can be removed. */
	zassert_ok(fs_unlink("/lfs/writer/spin"));
}

static void expect_fault(const struct wisp_app *app)
{
	struct wisp_app_status status;

	wisp_app_status(app, &status);
	zassert_equal(status.state, WISP_APP_FAILED);
	zassert_equal(status.error, -EFAULT);
	/* The thread releases what was open. */
	zassert_ok(wisp_app_join(app, K_SECONDS(60)));
}

ZTEST(files, test_a_fault_outside_of_the_file_system_closes_what_is_open)
{
	spin(APP(writer));
	k_thread_abort(&APP(writer)->data->thread);
	expect_fault(APP(writer));
	zassert_ok(fs_unlink("/lfs/writer/spin"));
	succeed(APP(writer), "write");
}

/* A file system in which every thread faults. */
static int fault(struct fs_mount_t *at, const char *path, struct fs_dirent *entry)
{
	ARG_UNUSED(at);
	ARG_UNUSED(path);
	ARG_UNUSED(entry);
	/* As Zephyr does when a thread faults. */
	k_thread_abort(k_current_get());
	return 0;
}

static int accept_mount(struct fs_mount_t *at)
{
	ARG_UNUSED(at);
	return 0;
}

static const struct fs_file_system_t faulty = {.stat = fault, .mount = accept_mount};
static struct fs_mount_t faulty_mount = {.type = FS_TYPE_EXTERNAL_BASE, .mnt_point = "/nowhere"};

/* Runs last, because nobody can use files afterwards. */
ZTEST_SUITE(files_without_end, NULL, NULL, prepare, NULL, NULL);

ZTEST(files_without_end, test_a_fault_in_a_file_system_holds_up_nobody)
{
	const char *what = "homeless";
	struct wisp_app_status status;

	zassert_ok(fs_register(FS_TYPE_EXTERNAL_BASE, &faulty));
	zassert_ok(fs_mount(&faulty_mount));
	zassert_ok(wisp_app_load_embedded(APP(homeless), "files"));
	zassert_ok(wisp_app_set_args(APP(homeless), 1, &what));
	zassert_ok(wisp_app_start(APP(homeless)));
	zassert_ok(wisp_app_join(APP(homeless), K_SECONDS(60)));
	/* Nobody has seen the fault yet, and another app waits for the lock that is left behind. */
	status = run(APP(writer), "write");
	zassert_equal(status.state, WISP_APP_EXITED);
	zassert_not_equal(status.exit_status, 0);
	expect_fault(APP(homeless));
	status = run(APP(neighbour), "neighbour");
	zassert_equal(status.state, WISP_APP_EXITED);
	zassert_not_equal(status.exit_status, 0);
}
