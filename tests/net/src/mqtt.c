/* SPDX-License-Identifier: Apache-2.0 */

/* Sessions of an app with brokers that the firmware plays. */

#include <string.h>

#include "peers.h"

/* Receives these bytes. */
static void expect(int connection, const char *bytes, size_t length)
{
	char received[64];
	size_t count = 0;

	while (count < length) {
		ssize_t more = zsock_recv(connection, received + count, length - count, 0);

		zassert_true(more > 0, "after %zu of %zu bytes", count, length);
		count += more;
	}
	zassert_mem_equal(received, bytes, length);
}

static void put(int connection, const char *bytes, size_t length)
{
	zassert_equal(zsock_send(connection, bytes, length, 0), (ssize_t)length);
}

#define EXPECT_BYTES(connection, text) expect(connection, text, sizeof(text) - 1)
#define PUT(connection, text)          put(connection, text, sizeof(text) - 1)

/* Takes a connection and the begin of a session on it. */
static int begun(int listener, char seconds)
{
	int connection = zsock_accept(listener, NULL, NULL);
	char hello[] = "\x10\x27\0\x04MQTT\x04\xe6\0?\0\x03"
		       "app\0\x04will\0\x04gone\0\x04user\0\x04word";

	zassert_true(connection >= 0);
	hello[11] = seconds;
	expect(connection, hello, sizeof(hello) - 1);
	/* The answer comes in pieces. */
	PUT(connection, "\x20");
	PUT(connection, "\x02\0");
	PUT(connection, "\0");
	return connection;
}

static void send_messages(int connection)
{
	char piece[100];

	EXPECT_BYTES(connection, "\x82\x08\0\x01\0\x03"
				 "a/+\x01");
	PUT(connection, "\x90\x03\0\x01\x01");
	EXPECT_BYTES(connection, "\x32\x0a\0\x01t\0\x02hello");
	PUT(connection, "\x40\x02\0\x02");
	/* A message of 1000 bytes. */
	PUT(connection, "\x32\xef\x07\0\x03"
			"a/b\0\x07");
	memset(piece, 'x', sizeof(piece));
	for (int i = 0; i < 10; i++) {
		put(connection, piece, sizeof(piece));
	}
	PUT(connection, "\xb0\x02\0\x09");
	EXPECT_BYTES(connection, "\x40\x02\0\x07");
}

ZTEST(net, test_an_app_has_a_session_with_a_broker)
{
	int listener = make(true, 8000);
	int connection;
	char byte;

	start(APP(client), "mqtt");
	connection = begun(listener, 2);
	send_messages(connection);
	EXPECT_BYTES(connection, "\xc0\0");
	PUT(connection, "\xd0\0");
	PUT(connection, "\x30\x03\0\x01t");
	EXPECT_BYTES(connection, "\xe0\0");
	zassert_equal(zsock_recv(connection, &byte, 1, 0), 0);
	zassert_ok(zsock_close(connection));
	/* What is no MQTT ends the session at once. */
	connection = begun(listener, 1);
	PUT(connection, "\x34\x07\0\x01t");
	zassert_true(zsock_recv(connection, &byte, 1, 0) <= 0);
	zassert_ok(zsock_close(connection));
	/* A broker that does not answer a sign of life has gone. */
	connection = begun(listener, 1);
	EXPECT_BYTES(connection, "\xc0\0");
	zassert_true(zsock_recv(connection, &byte, 1, 0) <= 0);
	zassert_ok(zsock_close(connection));
	finish(APP(client), WISP_APP_EXITED);
	zassert_ok(zsock_close(listener));
}
