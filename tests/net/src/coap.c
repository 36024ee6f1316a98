/* SPDX-License-Identifier: Apache-2.0 */

/* A CoAP server and a client, which the firmware plays for an app. */

#include <string.h>

#include "peers.h"

/* The datagram that came last, and the port of the app. */
static uint8_t datagram[256];
static size_t length;
static uint16_t app_port;

static void take(int socket)
{
	struct sockaddr_in from;
	socklen_t size = sizeof(from);
	ssize_t count = zsock_recvfrom(socket, datagram, sizeof(datagram), 0,
				       (struct sockaddr *)&from, &size);

	zassert_true(count >= 4, "%zd", count);
	length = count;
	app_port = ntohs(from.sin_port);
}

/* Takes a confirmable request with a token of four bytes: method, and options with payload. */
static void take_request(int socket, uint8_t method, const char *rest, size_t count)
{
	take(socket);
	zassert_equal(datagram[0], 0x44);
	zassert_equal(datagram[1], method);
	zassert_equal(length, 8 + count, "%zu", length);
	zassert_mem_equal(datagram + 8, rest, count);
}

/* Answers the request that came last. */
static void answer(int socket, uint8_t code, const char *rest, size_t count)
{
	uint8_t bytes[128] = {0x64, code, datagram[2], datagram[3]};

	memcpy(bytes + 4, datagram + 4, 4);
	memcpy(bytes + 8, rest, count);
	send_to(socket, bytes, 8 + count, app_port);
}

#define TAKE_REQUEST(socket, method, text) take_request(socket, method, text, sizeof(text) - 1)
#define ANSWER(socket, code, text)         answer(socket, code, text, sizeof(text) - 1)

/* Answers with a block of 64 bytes. */
static void answer_block(int socket, char number)
{
	/* ETag, Content-Format 42 and Block2. */
	char rest[64 + 8] = "\x41"
			    "E\x81\x2a\xb1.\xff";
	size_t count = (number == 4) ? 44 : 64;

	rest[5] = (char)(number << 4 | 2 | ((number == 4) ? 0 : 8));
	memset(rest + 7, 'a' + number, count);
	answer(socket, 0x45, rest, 7 + count);
}

static void serve_body(int socket)
{
	uint8_t lost[sizeof(datagram)];
	size_t lost_length;

	/* The first datagram is lost, and comes once more. */
	TAKE_REQUEST(socket, 1,
		     "\xb1"
		     "a\x01"
		     "b\x41"
		     "c\x81\x03");
	lost_length = length;
	memcpy(lost, datagram, length);
	take(socket);
	zassert_equal(length, lost_length);
	zassert_mem_equal(datagram, lost, length);
	answer_block(socket, 0);
	for (char number = 1; number < 5; number++) {
		char wanted[] = "\xb1"
				"a\x01"
				"b\x41"
				"c\x81.";

		wanted[7] = (char)(number << 4 | 2);
		take_request(socket, 1, wanted, sizeof(wanted) - 1);
		answer_block(socket, number);
	}
}

static void serve_log(int socket)
{
	for (char number = 0; number < 3; number++) {
		char rest[5 + 4 + 64] = "\xb3log\xc1\x02\x41.\xff";
		size_t count = (number == 2) ? 22 : 64;

		rest[7] = (char)(number << 4 | 2 | ((number == 2) ? 0 : 8));
		memset(rest + 9, 'x', count);
		take_request(socket, 3, rest, 9 + count);
		/* The number 27 of Block1 is 13 and 14. */
		answer(socket, (number == 2) ? 0x44 : 0x5f, (char[]){'\xd1', 14, rest[7]}, 3);
	}
	TAKE_REQUEST(socket, 3, "\xb4none\xc1\x02\xffx");
	ANSWER(socket, 0x84, "");
}

static void serve_observer(int socket)
{
	uint8_t notification[] = {0x44, 0x45, 0x70, 1, 0, 0, 0, 0, 0x61, 6, 0xff, '2', '1'};

	TAKE_REQUEST(socket, 1, "\x60\x51o\xc1\x02");
	memcpy(notification + 4, datagram + 4, 4);
	ANSWER(socket, 0x45,
	       "\x61\x05\xff"
	       "20");
	send_to(socket, notification, sizeof(notification), app_port);
	take(socket);
	zassert_equal(length, 4);
	zassert_mem_equal(datagram, "\x60\0\x70\x01", 4);
	/* The app has ended the observation. */
	notification[3]++;
	notification[9]++;
	send_to(socket, notification, sizeof(notification), app_port);
	take(socket);
	zassert_equal(length, 4);
	zassert_mem_equal(datagram, "\x70\0\x70\x02", 4);
	send_to(socket,
		"\x40\x01\x71\x01\xb4"
		"done",
		9, app_port);
	take(socket);
	zassert_equal(length, 9);
	zassert_mem_equal(datagram,
			  "\x60\x45\x71\x01\xc0\xff"
			  "bye",
			  9);
}

/* Sends a request until the app serves, and takes the answer. */
static void request(int socket, const char *bytes, size_t count)
{
	struct zsock_pollfd waits = {.fd = socket, .events = ZSOCK_POLLIN};

	do {
		send_to(socket, bytes, count, 7004);
		/* An answer to one that was sent twice is left out. */
		for (length = 0; length == 0 && zsock_poll(&waits, 1, 1000) > 0;) {
			take(socket);
			length = (memcmp(datagram + 2, bytes + 2, 2) == 0) ? length : 0;
		}
	} while (length == 0);
}

static void expect_answer(const char *bytes, size_t count)
{
	zassert_equal(length, count, "%zu", length);
	zassert_mem_equal(datagram, bytes, count);
}

#define REQUEST(socket, text) request(socket, text, sizeof(text) - 1)
#define EXPECT_ANSWER(text)   expect_answer(text, sizeof(text) - 1)

static void ask_the_app(void)
{
	int socket = make(false, 0);

	REQUEST(socket, "\x42\x01\x01\x01tk\xb1?");
	EXPECT_ANSWER("\x62\x84\x01\x01tk");
	/* The first block of 64 bytes, with an ETag of four. */
	REQUEST(socket, "\x40\x01\x01\x02\xb4long");
	zassert_equal(length, 4 + 5 + 3 + 1 + 64);
	zassert_mem_equal(datagram + 9, "\xd1\x06\x0a\xffyyyy", 8);
	/* The last one, of 22 bytes. */
	REQUEST(socket, "\x40\x01\x01\x03\xb4long\xc1\x22");
	zassert_equal(length, 4 + 5 + 3 + 1 + 22);
	REQUEST(socket, "\x40\x03\x01\x04\xb1p\xd1\x03\x08\xff"
			"0123456789abcdef");
	EXPECT_ANSWER("\x60\x5f\x01\x04\xd1\x0e\x08");
	REQUEST(socket, "\x40\x03\x01\x05\xb1p\xd1\x03\x10\xff"
			"1");
	EXPECT_ANSWER("\x60\x44\x01\x05\xd1\x0e\x10");
	/* What the app does not see: an option that must be understood, and a sign of life. */
	REQUEST(socket, "\x40\x01\x01\x06\x91?");
	EXPECT_ANSWER("\x60\x82\x01\x06");
	REQUEST(socket, "\x40\0\x01\x07");
	EXPECT_ANSWER("\x70\0\x01\x07");
	REQUEST(socket, "\x40\x04\x01\x08");
	EXPECT_ANSWER("\x60\x42\x01\x08");
	zassert_ok(zsock_close(socket));
}

ZTEST(net, test_an_app_asks_a_server_and_is_one)
{
	int socket = make(false, 5683);

	start(APP(client), "coap");
	serve_body(socket);
	serve_log(socket);
	serve_observer(socket);
	ask_the_app();
	finish(APP(client), WISP_APP_EXITED);
	zassert_ok(zsock_close(socket));
}
