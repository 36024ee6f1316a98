/* SPDX-License-Identifier: Apache-2.0 */

/* Zephyr's loopback controller, and one on a bus where nobody acknowledges. */

#define DT_DRV_COMPAT wisp_test_can

#include <errno.h>

#include <zephyr/drivers/can.h>
#include <zephyr/kernel.h>
#include <zephyr/ztest.h>

#include "devices.h"

/* Frames that the controller keeps, and how many it can keep. */
static struct {
	uint32_t id;
	can_tx_callback_t callback;
	void *user_data;
} kept[4];
static int kept_count;
static int mailboxes = ARRAY_SIZE(kept);
/* The identifier of the last frame that found no room. */
static uint32_t refused;

static int start(const struct device *dev)
{
	ARG_UNUSED(dev);
	return -EALREADY;
}

static int send(const struct device *dev, const struct can_frame *frame, k_timeout_t timeout,
		can_tx_callback_t callback, void *user_data)
{
	ARG_UNUSED(dev);
	zassert_true(K_TIMEOUT_EQ(timeout, K_NO_WAIT), "the driver would wait");
	if (frame->id == 0x666) {
		return -ENETUNREACH;
	}
	if (frame->id == 0x667) {
		/* As a fault does. */
		k_thread_abort(k_current_get());
	}
	if (kept_count == mailboxes) {
		refused = frame->id;
		return -EAGAIN;
	}
	kept[kept_count].id = frame->id;
	kept[kept_count].callback = callback;
	kept[kept_count++].user_data = user_data;
	return 0;
}

static int add_rx_filter(const struct device *dev, can_rx_callback_t callback, void *user_data,
			 const struct can_filter *filter)
{
	ARG_UNUSED(dev);
	ARG_UNUSED(callback);
	ARG_UNUSED(user_data);
	ARG_UNUSED(filter);
	return -ENOSPC;
}

static void remove_rx_filter(const struct device *dev, int number)
{
	ARG_UNUSED(dev);
	zassert_unreachable("filter %d was never added", number);
}

static int get_state(const struct device *dev, enum can_state *state, struct can_bus_err_cnt *count)
{
	ARG_UNUSED(dev);
	ARG_UNUSED(count);
	*state = CAN_STATE_ERROR_PASSIVE;
	return 0;
}

static DEVICE_API(can, api) = {
	.start = start,
	.send = send,
	.add_rx_filter = add_rx_filter,
	.remove_rx_filter = remove_rx_filter,
	.get_state = get_state,
};

DEVICE_DT_INST_DEFINE(0, NULL, NULL, NULL, NULL, POST_KERNEL, CONFIG_CAN_INIT_PRIORITY, &api);

/* Ends the oldest frame, and returns its identifier. */
static uint32_t end_frame(int error)
{
	can_tx_callback_t callback = kept[0].callback;
	void *user_data = kept[0].user_data;
	uint32_t id = kept[0].id;

	zassert_true(kept_count > 0);
	kept_count--;
	for (int i = 0; i < kept_count; i++) {
		kept[i] = kept[i + 1];
	}
	callback(DEVICE_DT_INST_GET(0), error, user_data);
	return id;
}

static uint32_t acknowledge(struct wisp_caller *caller, uint32_t *slots, const void *env)
{
	ARG_UNUSED(caller);
	ARG_UNUSED(env);
	(void)end_frame((int32_t)slots[0]);
	return 0;
}
WISP_HOST_FUNCTION_DEFINE("test:board@1", "acknowledge", "(i)", acknowledge);

static void *set_up(void)
{
	zassert_ok(can_set_mode(DEVICE_DT_GET(DT_NODELABEL(test_bus)), CAN_MODE_LOOPBACK));
	return NULL;
}
ZTEST_SUITE(can, NULL, set_up, NULL, NULL, NULL);

ZTEST(can, test_functions_and_errors)
{
	begin(FIRST, "can");
	succeed(FIRST);
}

ZTEST(can, test_filters_that_an_app_leaves_behind_are_removed)
{
	/* The controller has 8. */
	for (int i = 0; i < 4; i++) {
		begin(FIRST, "can_filters");
		succeed(FIRST);
	}
}

ZTEST(can, test_apps_share_a_controller)
{
	begin(FIRST, "can_hear");
	wait_until_held();
	begin(SECOND, "can_tell");
	succeed(SECOND);
	succeed(FIRST);
	/* A stop ends the wait for a frame. */
	begin(FIRST, "can_hear");
	wait_until_held();
	stop(FIRST);
}

ZTEST(can, test_an_app_has_few_frames_in_the_controller_and_a_stop_ends_its_wait_for_room)
{
	begin(FIRST, "can_stuck");
	wait_until_held();
	stop(FIRST);
	/* Two of it are left, which the controller ends when they were sent. */
	zassert_equal(kept_count, 2);
}

static K_SEM_DEFINE(gate, 0, 1);

static uint32_t waits_at_gate(struct wisp_caller *caller, uint32_t *slots, const void *env)
{
	ARG_UNUSED(caller);
	ARG_UNUSED(slots);
	ARG_UNUSED(env);
	(void)k_sem_take(&gate, K_SECONDS(30));
	return 0;
}
WISP_HOST_FUNCTION_DEFINE("test:board@1", "gate", "()", waits_at_gate);

/* Ends all frames that the controller has, and returns the identifier of the last one. */
static uint32_t end_frames(void)
{
	uint32_t last = 0;

	while (kept_count > 0) {
		last = end_frame(0);
	}
	return last;
}

/*
 * Ends the only frame while the apps wait, which run first, and waits until the next frame has
 * taken its place.
 */
static void pass_on(void)
{
	int priority = k_thread_priority_get(k_current_get());

	k_thread_priority_set(k_current_get(), K_LOWEST_APPLICATION_THREAD_PRIO);
	(void)end_frame(0);
	k_thread_priority_set(k_current_get(), priority);
	while (kept_count == 0) {
		k_msleep(1);
	}
}

/* Lets the first app fill the only mailbox and stop at the gate, and the second one wait. */
static void fill_the_only_mailbox_and_wait_behind(void)
{
	(void)end_frames();
	k_sem_reset(&gate);
	mailboxes = 1;
	begin(FIRST, "can_line");
	wait_until_held();
	refused = 0;
	begin(SECOND, "can_behind");
	while (refused != 7) {
		k_msleep(1);
	}
}

/* Ends a frame, and returns the identifier of the next one. */
static uint32_t served(void)
{
	pass_on();
	return kept[0].id;
}

/* Ends the last frame and both apps, of which none found anything wrong. */
static void end_line(void)
{
	(void)end_frames();
	mailboxes = ARRAY_SIZE(kept);
	succeed(FIRST);
	succeed(SECOND);
}

ZTEST(can, test_apps_that_wait_for_room_are_served_in_the_order_in_which_they_came)
{
	fill_the_only_mailbox_and_wait_behind();
	k_sem_give(&gate);
	/* Whether the first app waits by now or not, it came last. */
	k_msleep(5);
	zassert_equal(served(), 7, "the app that came last was served first");
	zassert_equal(served(), 2);
	end_line();
	/* A stop leaves the line to others, and nobody of it waits for the app that left. */
	mailboxes = 0;
	begin(SECOND, "can_behind");
	refused = 0;
	while (refused != 7) {
		k_msleep(1);
	}
	stop(SECOND);
	mailboxes = 1;
	begin(FIRST, "can_line");
	wait_until_held();
	k_sem_give(&gate);
	stop(FIRST);
	(void)end_frames();
	mailboxes = ARRAY_SIZE(kept);
}

ZTEST(can, test_of_apps_that_wait_for_room_the_one_with_the_highest_priority_is_served_first)
{
	fill_the_only_mailbox_and_wait_behind();
	k_thread_priority_set(&FIRST->data->thread, SECOND->priority - 1);
	k_sem_give(&gate);
	while (refused != 2) {
		k_msleep(1);
	}
	zassert_equal(served(), 2, "the app with the lower priority was served first");
	zassert_equal(served(), 7);
	end_line();
}

ZTEST(can, test_an_app_that_a_fault_ended_in_line_leaves_it_to_the_others)
{
	struct wisp_app_status status;

	(void)end_frames();
	begin(FIRST, "can_fault");
	/* Nobody asks for the state of the first app. */
	begin(SECOND, "can_behind");
	succeed(SECOND);
	zassert_equal(end_frames(), 7);
	wisp_app_status(FIRST, &status);
	zassert_equal(status.state, WISP_APP_FAILED);
}
