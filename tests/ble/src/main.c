/* SPDX-License-Identifier: Apache-2.0 */

#include <string.h>

#include <zephyr/bluetooth/bluetooth.h>
#include <zephyr/bluetooth/hci_types.h>
#include <zephyr/kernel.h>
#include <zephyr/ztest.h>

#include "../../peripherals/src/support.h"
#include "controller.h"
#include "gate.h"

#define UNREADABLE WISP_APP_DT_GET(DT_PATH(wisp_apps, unreadable))
#define NOTHING    WISP_APP_DT_GET(DT_PATH(wisp_apps, nothing))

#define LAMP  "\x05\x09Lamp"
#define FLAGS "\x02\x01\x06"
#define AIR   "\x05\x16\x1a\x18\x15\x00"

static K_SEM_DEFINE(came, 0, 1);
static K_SEM_DEFINE(opened, 0, 1);

static uint32_t gate(struct wisp_caller *caller, uint32_t *slots, const void *env)
{
	ARG_UNUSED(caller);
	ARG_UNUSED(slots);
	ARG_UNUSED(env);
	k_sem_give(&came);
	(void)k_sem_take(&opened, K_SECONDS(30));
	return 0;
}
WISP_HOST_FUNCTION_DEFINE("test:board@1", "gate", "()", gate);

static uint32_t fault(struct wisp_caller *caller, uint32_t *slots, const void *env)
{
	ARG_UNUSED(caller);
	ARG_UNUSED(slots);
	ARG_UNUSED(env);
	k_thread_abort(k_current_get());
	return 0;
}
WISP_HOST_FUNCTION_DEFINE("test:board@1", "fault", "()", fault);

void wait_at_gate(void)
{
	zassert_ok(k_sem_take(&came, K_SECONDS(30)));
}

void open_gate(void)
{
	k_sem_give(&opened);
}

/* Waits until the thread for Bluetooth has stopped what an app has left. */
static void wait_until_quiet(void)
{
	for (int i = 0; controller.advertises || controller.scans; i++) {
		zassert_true(i < 30000, "what an app has left goes on");
		k_msleep(1);
	}
}

static void expect_data(const char *data, size_t length, const char *response,
			size_t response_length)
{
	zassert_equal(controller.data_length, length);
	zassert_mem_equal(controller.data, data, length);
	zassert_equal(controller.response_length, response_length);
	zassert_mem_equal(controller.response, response, response_length);
}
#define EXPECT_DATA(data, response)                                                                \
	expect_data(data, sizeof(data) - 1, response, sizeof(response) - 1)

static void hear(uint8_t type, uint64_t address, int8_t rssi, const char *data, size_t length)
{
	controller_hear(type, address, rssi, data, length);
}
#define HEAR(type, address, rssi, data) hear(type, address, rssi, data, sizeof(data) - 1)

static void before(void *fixture)
{
	ARG_UNUSED(fixture);
	k_sem_reset(&came);
	k_sem_reset(&opened);
	wait_until_quiet();
	memset(&controller, 0, sizeof(controller));
}

/* What of its stack a thread has to leave, beside what the tests made it use. */
#define SPARE 128

static void look_at_stack(const struct k_thread *thread, void *seen)
{
	const char *name = k_thread_name_get((struct k_thread *)thread);
	size_t unused = 0;

	if (strcmp(name, "wisp_ble") != 0 && strcmp(name, "BT RX WQ") != 0) {
		return;
	}
	zassert_ok(k_thread_stack_space_get(thread, &unused));
	TC_PRINT("%s: %zu bytes of %zu used\n", name, thread->stack_info.size - unused,
		 (size_t)thread->stack_info.size);
	zassert_true(unused >= SPARE);
	*(int *)seen += 1;
}

static void after_all(void *fixture)
{
	int seen = 0;

	ARG_UNUSED(fixture);
	k_thread_foreach(look_at_stack, &seen);
	zassert_equal(seen, 2);
}
ZTEST_SUITE(ble, NULL, NULL, before, NULL, after_all);

ZTEST(ble, test_an_app_advertises_what_it_was_granted_and_nothing_else)
{
	begin(FIRST, "beacon");
	wait_at_gate();
	zassert_equal(controller.starts, 0);
	open_gate();

	wait_at_gate();
	zassert_true(controller.advertises);
	zassert_equal(controller.advertising_type, BT_HCI_ADV_NONCONN_IND);
	zassert_equal(controller.interval, 160);
	EXPECT_DATA(FLAGS LAMP, "");
	open_gate();

	wait_at_gate();
	zassert_true(controller.advertises);
	zassert_equal(controller.starts, 1, "advertising was interrupted");
	EXPECT_DATA(FLAGS AIR, "");
	open_gate();

	wait_at_gate();
	zassert_true(controller.advertises);
	zassert_equal(controller.starts, 2);
	zassert_equal(controller.advertising_type, BT_HCI_ADV_SCAN_IND);
	zassert_equal(controller.interval, 16384);
	EXPECT_DATA(AIR, LAMP);
	open_gate();

	wait_at_gate();
	zassert_false(controller.advertises);
	controller.failing = BT_HCI_OP_LE_SET_ADV_ENABLE;
	open_gate();
	succeed(FIRST);
	zassert_equal(controller.starts, 3);
	wait_until_quiet();
}

ZTEST(ble, test_one_app_at_a_time_advertises)
{
	begin(FIRST, "stay");
	wait_until_held();
	begin(SECOND, "refused");
	succeed(SECOND);
	zassert_true(controller.advertises);
	EXPECT_DATA(LAMP, "");
	stop(FIRST);
	/* Its turn comes after that of the app that was stopped. */
	begin(SECOND, "brief");
	succeed(SECOND);
	zassert_equal(controller.starts, 2);
	wait_until_quiet();
}

ZTEST(ble, test_advertising_and_scanning_end_with_the_app)
{
	struct wisp_app_status status;

	for (int i = 0; i < 3; i++) {
		begin(FIRST, "stay");
		wait_until_held();
		zassert_true(controller.advertises && controller.scans);
		stop(FIRST);
	}
	wait_until_quiet();
	begin(FIRST, "faults");
	zassert_ok(wisp_app_join(FIRST, K_SECONDS(60)));
	wisp_app_status(FIRST, &status);
	zassert_equal(status.state, WISP_APP_FAILED);
	wait_until_quiet();
	begin(FIRST, "stay");
	wait_until_held();
	stop(FIRST);
	zassert_equal(controller.starts, 5);
	zassert_equal(controller.scan_starts, 5);
}

ZTEST(ble, test_an_app_can_be_stopped_while_the_controller_does_not_answer)
{
	controller.held = BT_HCI_OP_LE_SET_ADV_ENABLE;
	begin(FIRST, "stay");
	controller_wait_for_held();
	stop(FIRST);
	/* The next run waits until the one before is released. */
	begin(FIRST, "stay");
	controller_answer();
	wait_until_held();
	zassert_true(controller.advertises && controller.scans);
	zassert_equal(controller.starts, 2);
	stop(FIRST);
}

ZTEST(ble, test_an_app_receives_what_it_was_granted_and_nothing_else)
{
	begin(FIRST, "hears");
	wait_at_gate();
	zassert_equal(controller.scan_type, BT_HCI_LE_SCAN_PASSIVE);
	zassert_equal(controller.scan_interval, 96);
	zassert_equal(controller.scan_window, 48);
	HEAR(BT_HCI_ADV_NONCONN_IND, 0xc00000000002, -50, "\x07\x09Heater");
	HEAR(BT_HCI_ADV_IND, 0xc00000000001, -60, LAMP);
	HEAR(BT_HCI_ADV_SCAN_RSP, 0x020000000003, -60,
	     "\x03\x03\x1a\x18\x1a\xff\x06\x07\x08\x09\x0a\x0b\x0c\x0d\x0e\x0f\x10\x11\x12\x13"
	     "\x14\x15\x16\x17\x18\x19\x1a\x1b\x1c\x1d\x1e");
	k_msleep(20);
	open_gate();

	wait_at_gate();
	for (int i = 1; i <= 6; i++) {
		for (int again = 0; again < (i == 1 ? 3 : 1); again++) {
			HEAR(BT_HCI_ADV_IND, 0xc00000000000 + i, -41 - again, LAMP);
		}
	}
	k_msleep(20);
	open_gate();

	wait_at_gate();
	HEAR(BT_HCI_ADV_IND, 0xc00000000001, -60, LAMP);
	k_msleep(20);
	open_gate();

	wait_at_gate();
	zassert_false(controller.scans);
	HEAR(BT_HCI_ADV_IND, 0xc00000000001, -60, LAMP);
	open_gate();
	succeed(FIRST);
}

ZTEST(ble, test_apps_scan_together_and_one_that_ends_leaves_the_other_scanning)
{
	begin(FIRST, "stay");
	wait_until_held();
	begin(SECOND, "listens");
	wait_until_held();
	zassert_equal(controller.scan_starts, 1);
	stop(FIRST);
	k_msleep(20);
	zassert_true(controller.scans);
	HEAR(BT_HCI_ADV_NONCONN_IND, 0xc00000000009, -60, "");
	succeed(SECOND);
	wait_until_quiet();
	zassert_equal(controller.scan_starts, 1);
}

ZTEST(ble, test_a_flood_takes_no_more_than_the_queue)
{
	begin(FIRST, "stay");
	wait_until_held();
	begin(SECOND, "listens");
	wait_until_held();
	for (int i = 0; i < 3000; i++) {
		/* The second app ends with the first of them that it receives. */
		HEAR(BT_HCI_ADV_NONCONN_IND, 0xc00000000009 + ((uint64_t)i << 8), -60, "");
	}
	succeed(SECOND);
	stop(FIRST);
}

ZTEST(ble, test_what_the_firmware_does_itself_is_refused_to_apps)
{
	int ret = bt_enable(NULL);

	zassert_true(ret == 0 || ret == -EALREADY);
	zassert_ok(bt_le_adv_start(BT_LE_ADV_NCONN_IDENTITY, NULL, 0, NULL, 0));
	begin(SECOND, "refused");
	succeed(SECOND);
	zassert_true(controller.advertises);
	zassert_ok(bt_le_adv_stop());
	zassert_ok(bt_le_scan_start(BT_LE_SCAN_PASSIVE, NULL));
	begin(SECOND, "no_scan");
	succeed(SECOND);
	zassert_true(controller.scans);
	zassert_ok(bt_le_scan_stop());
}

ZTEST(ble, test_an_app_without_a_grant_sends_and_receives_nothing)
{
	begin(NOTHING, "idle");
	succeed(NOTHING);
	zassert_equal(controller.starts, 0);
	zassert_equal(controller.scan_starts, 0);
}

ZTEST(ble, test_an_entry_that_cannot_be_read_refuses_the_app)
{
	struct wisp_app_status status;

	begin(UNREADABLE, "brief");
	zassert_ok(wisp_app_join(UNREADABLE, K_SECONDS(60)));
	wisp_app_status(UNREADABLE, &status);
	zassert_equal(status.state, WISP_APP_FAILED);
	zassert_equal(controller.starts, 0);
}
