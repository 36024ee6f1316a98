/* SPDX-License-Identifier: Apache-2.0 */

/* A client of an app's service, which speaks ATT with the host. */

#include <string.h>

#include <zephyr/kernel.h>
#include <zephyr/sys/byteorder.h>
#include <zephyr/ztest.h>

#include "../../peripherals/src/support.h"
#include "controller.h"
#include "gate.h"

#define NOTHING WISP_APP_DT_GET(DT_PATH(wisp_apps, nothing))

/* Operations and errors of ATT. */
#define ERROR           0x01
#define READ_BY_TYPE    0x08
#define READ            0x0a
#define READ_BY_GROUP   0x10
#define WRITE           0x12
#define NOT_PERMITTED_R 0x02
#define NOT_PERMITTED_W 0x03
#define NOT_FOUND       0x0a
#define WRONG_LENGTH    0x0d
#define NO_RESOURCES    0x11

#define CLIENT 0xc000000000c1

/* The UUID of the service, and of characteristic 2 to 4, lowest byte first. */
static const uint8_t uuid[16] = {0x9e, 0xca, 0xdc, 0x24, 0x0e, 0xe5, 0xa9, 0xe0,
				 0x93, 0xf3, 0xa3, 0xb5, 0x01, 0x00, 0x40, 0x6e};

static uint8_t answer[23];

/* Returns the handles of the service, or 0 if there is none. */
static uint16_t find_service(uint16_t *end)
{
	uint16_t start = 1;

	while (true) {
		uint8_t request[] = {READ_BY_GROUP, 0, 0, 0xff, 0xff, 0x00, 0x28};
		size_t length;

		sys_put_le16(start, &request[1]);
		length = controller_request(request, sizeof(request), answer);
		if (answer[0] == ERROR) {
			zassert_equal(answer[4], NOT_FOUND);
			return 0;
		}
		if (answer[1] == 20 && memcmp(&answer[6], uuid, sizeof(uuid)) == 0) {
			*end = sys_get_le16(&answer[4]);
			return sys_get_le16(&answer[2]);
		}
		/* The last of the services in the answer. */
		start = sys_get_le16(&answer[length - answer[1] + 2]) + 1;
	}
}

/* Finds a characteristic, and checks its properties. Returns the handle of its value. */
static uint16_t find(uint16_t start, uint16_t end, uint8_t number, uint8_t properties)
{
	uint8_t request[] = {READ_BY_TYPE, 0, 0, 0, 0, 0x03, 0x28};

	sys_put_le16(end, &request[3]);
	while (true) {
		sys_put_le16(start, &request[1]);
		zassert_equal(controller_request(request, sizeof(request), answer), 23);
		zassert_equal(answer[1], 21);
		start = sys_get_le16(&answer[5]);
		if (answer[7 + 12] == number) {
			zassert_equal(answer[4], properties);
			return start;
		}
	}
}

static void expect_value(uint16_t handle, const char *value)
{
	uint8_t request[] = {READ, (uint8_t)handle, (uint8_t)(handle >> 8)};
	size_t length = controller_request(request, sizeof(request), answer);

	zassert_equal(length, 1 + strlen(value));
	zassert_equal(answer[0], READ + 1);
	zassert_mem_equal(&answer[1], value, strlen(value));
}

/* Writes, and returns the error of ATT or 0. */
static uint8_t write(uint16_t handle, const void *value, size_t length)
{
	uint8_t request[23] = {WRITE, (uint8_t)handle, (uint8_t)(handle >> 8)};

	memcpy(&request[3], value, length);
	(void)controller_request(request, 3 + length, answer);
	return answer[0] == ERROR ? answer[4] : 0;
}

static uint8_t read_error(uint16_t handle)
{
	uint8_t request[] = {READ, (uint8_t)handle, (uint8_t)(handle >> 8)};

	(void)controller_request(request, sizeof(request), answer);
	return answer[0] == ERROR ? answer[4] : 0;
}

static void wait_until(bool advertises)
{
	for (int i = 0; controller.advertises != advertises || controller_is_connected(); i++) {
		zassert_true(i < 30000);
		k_msleep(1);
	}
}

ZTEST(ble, test_a_client_reads_and_writes_the_values_of_an_app_and_is_told_of_new_ones)
{
	uint8_t notification[23];
	uint16_t end;
	uint16_t start;
	uint16_t told;
	uint16_t small;
	uint16_t both;

	begin(FIRST, "serves");
	wait_at_gate();
	controller_connect(CLIENT);
	start = find_service(&end);
	zassert_not_equal(start, 0);
	told = find(start, end, 2, 0x12);
	small = find(start, end, 3, 0x08);
	both = find(start, end, 4, 0x0a);
	expect_value(told, "one");
	expect_value(both, "");
	zassert_equal(read_error(small), NOT_PERMITTED_R);
	zassert_equal(write(told, "x", 1), NOT_PERMITTED_W);
	zassert_equal(write(small, "12345", 5), WRONG_LENGTH);
	zassert_equal(write(small, "\x01\x02\x03\x04", 4), 0);
	/* Who asked for it is told of new values. */
	zassert_equal(write(told + 1, "\x01\x00", 2), 0);
	open_gate();

	wait_at_gate();
	zassert_false(controller.advertises, "the only client is connected");
	zassert_equal(controller_wait_for_notification(notification), 6);
	zassert_equal(notification[0], ATT_NOTIFICATION);
	zassert_equal(sys_get_le16(&notification[1]), told);
	zassert_mem_equal(&notification[3], "two", 3);
	expect_value(told, "two");
	for (uint8_t i = 0; i < 4; i++) {
		zassert_equal(write(both, &i, 1), 0);
	}
	zassert_equal(write(both, "x", 1), NO_RESOURCES);
	expect_value(both, "\x03");
	open_gate();

	wait_at_gate();
	/* Advertising goes on when the client leaves. */
	controller_disconnect();
	wait_until(true);
	controller_connect(CLIENT + 1);
	zassert_equal(find_service(&end), start);
	open_gate();
	wait_until_held();
	/* With the app, the service and its client go. */
	stop(FIRST);
	wait_until(false);
	/* The host needs a moment to forget the client. */
	k_msleep(50);
	/* The service of the next run is a new one. */
	begin(FIRST, "serves");
	wait_at_gate();
	controller_connect(CLIENT);
	start = find_service(&end);
	zassert_not_equal(start, 0);
	expect_value(find(start, end, 2, 0x12), "one");
	open_gate();
	stop(FIRST);
	wait_until(false);
}

ZTEST(ble, test_an_app_without_a_service_serves_nothing)
{
	begin(NOTHING, "no_service");
	succeed(NOTHING);
}
