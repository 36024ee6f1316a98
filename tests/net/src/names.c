/* SPDX-License-Identifier: Apache-2.0 */

/* Names of apps, for which the firmware plays the DNS server. */

#include <string.h>

#include "peers.h"

#define QUESTION_MAX 64

static int server;

static void before(void *fixture)
{
	note_resources(fixture);
	server = make(false, 5300);
}

static void after(void *fixture)
{
	zassert_ok(zsock_close(server));
	check_resources(fixture);
}

ZTEST_SUITE(net_names, NULL, NULL, before, after, NULL);

/* A message of DNS: a question, and room for one answer. */
struct message {
	uint8_t bytes[QUESTION_MAX + 16];
	ssize_t length;
	struct sockaddr_in from;
};

/* Receives a question, which must be for this name, in the form of DNS. */
static void receive(struct message *message, const char *name)
{
	socklen_t size = sizeof(message->from);

	message->length = zsock_recvfrom(server, message->bytes, QUESTION_MAX, 0,
					 (struct sockaddr *)&message->from, &size);
	/* The header has 12 bytes, type and class four. */
	zassert_equal(message->length, (ssize_t)(12 + strlen(name) + 1 + 4));
	zassert_mem_equal(&message->bytes[12], name, strlen(name) + 1);
}

/* Answers with an address, or without one. */
static void answer(struct message *message, const uint8_t *address)
{
	const uint8_t record[] = {0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4};

	message->bytes[2] |= 0x80;
	if (address == NULL) {
		/* There is no such name. */
		message->bytes[3] = 3;
	} else {
		message->bytes[7] = 1;
		memcpy(&message->bytes[message->length], record, sizeof(record));
		memcpy(&message->bytes[message->length + sizeof(record)], address, 4);
		message->length += sizeof(record) + 4;
	}
	zassert_equal(zsock_sendto(server, message->bytes, message->length, 0,
				   (struct sockaddr *)&message->from, sizeof(message->from)),
		      message->length);
}

static void serve(const char *name, const uint8_t *address)
{
	struct message message;

	receive(&message, name);
	answer(&message, address);
}

ZTEST(net_names, test_a_name_grants_the_address_that_was_found_and_no_way_back)
{
	const uint8_t first[] = {192, 0, 2, 7};
	const uint8_t device[] = {127, 0, 0, 2};
	const uint8_t listed[] = {127, 0, 0, 1};
	const uint8_t second[] = {192, 0, 2, 9};
	const char name[] = "\6broker\7example";

	start(APP(names), "resolve");
	serve(name, first);
	serve(name, device);
	serve(name, listed);
	serve(name, second);
	serve(name, NULL);
	finish(APP(names), WISP_APP_EXITED);
}

ZTEST(net_names, test_a_lookup_goes_on_behind_a_timeout_and_ends_with_the_app)
{
	const uint8_t address[] = {192, 0, 2, 7};
	const char name[] = "\6broker\7example";
	struct message message;

	int told = make(false, 5301);

	for (int i = 0; i < 10; i++) {
		start(APP(names), "lookups");
		receive(&message, name);
		/* The app has seen that its lookup goes on. */
		zassert_equal(zsock_recv(told, message.bytes + message.length, 4, 0), 4);
		answer(&message, address);
		/* It waits for the answer of a second lookup, which does not come. */
		receive(&message, name);
		stop(APP(names));
	}
	zassert_ok(zsock_close(told));
}
