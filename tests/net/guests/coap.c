/* SPDX-License-Identifier: Apache-2.0 */

/* Requests to a server that the firmware plays, and resources that it asks for. */

#include <string.h>

#include "local.h"

/* Room for blocks of 64 bytes, and for two of them and a message. */
static char buffer[260];
static struct wisp_coap_message message;

static int32_t ask(uint32_t method, const char *target, const void *payload, size_t length,
		   uint32_t offset, size_t room, uint32_t timeout)
{
	return wisp_coap_request(0, method, target, strlen(target), WISP_COAP_NO_FORMAT, payload,
				 length, offset, buffer, room, timeout, &message);
}

/* Waits for events until the call without a timeout has a result. */
static void go_on(uint32_t method, const char *target)
{
	struct wisp_event_event event;

	while (ask(method, target, NULL, 0, 0, sizeof(buffer), 0) == -WISP_ETIMEDOUT) {
		EXPECT(wisp_event_wait(WISP_EVENT_FOREVER, &event) == 0);
		EXPECT(event.kind == WISP_EVENT_NET && event.source == 0);
	}
}

/* The server loses the first datagram, and has a body of 300 bytes. */
static void reads(void)
{
	EXPECT(wisp_net_watch(0, WISP_NET_READABLE) == 0);
	go_on(WISP_COAP_GET, "a/b?c");
	EXPECT(message.code == WISP_COAP_CONTENT && message.format == 42);
	EXPECT(message.flags == WISP_COAP_MORE && message.length == 192);
	for (uint32_t i = 0; i < message.length; i++) {
		EXPECT(buffer[i] == (char)('a' + i / 64));
	}
	EXPECT(ask(WISP_COAP_GET, "a/b?c", NULL, 0, 192, sizeof(buffer), WISP_COAP_FOREVER) == 0);
	EXPECT(message.flags == 0 && message.offset == 192 && message.length == 108);
	EXPECT(buffer[0] == 'd' && buffer[107] == 'e');
}

static void writes(void)
{
	char body[150];

	memset(body, 'x', sizeof(body));
	EXPECT(ask(WISP_COAP_PUT, "log", body, sizeof(body), 0, 128, WISP_COAP_FOREVER) == 0);
	EXPECT(message.code == WISP_COAP_CHANGED && message.length == 0);
	EXPECT(ask(WISP_COAP_PUT, "none", body, 1, 0, 128, WISP_COAP_FOREVER) == 0);
	EXPECT(message.code == WISP_COAP_NOT_FOUND);
}

static void observes(void)
{
	EXPECT(ask(WISP_COAP_GET | WISP_COAP_OBSERVE, "o", NULL, 0, 0, 128, WISP_COAP_FOREVER) ==
	       0);
	EXPECT(message.flags == WISP_COAP_OBSERVED && message.observation == 1);
	EXPECT(wisp_coap_receive(0, buffer, 128, WISP_COAP_FOREVER, &message) == 0);
	EXPECT(message.code == WISP_COAP_CONTENT && message.flags == WISP_COAP_OBSERVED);
	EXPECT(message.length == 2 && memcmp(buffer, "21", 2) == 0);
	EXPECT(wisp_coap_cancel(0, 1) == 0);
	EXPECT(wisp_coap_cancel(0, 1) == -WISP_ENOENT);
	/* The next notification is rejected, and the server says so. */
	EXPECT(wisp_coap_receive(0, buffer, 128, WISP_COAP_FOREVER, &message) == 0);
	EXPECT(message.code == WISP_COAP_GET && message.target_length == 4);
	EXPECT(wisp_coap_respond(0, WISP_COAP_CONTENT, 0, "bye", 3, buffer, 128, 0) == 0);
	EXPECT(wisp_net_close(0) == 0);
}

/* Answers requests at the port 7004 until one has DELETE. */
static void serves(void)
{
	char body[150];

	EXPECT(wisp_net_open(WISP_NET_UDP) == 0);
	EXPECT(wisp_coap_receive(0, buffer, 128, 0, &message) == -WISP_EPERM);
	EXPECT(wisp_net_bind(0, 7004) == 0);
	EXPECT(wisp_coap_receive(0, buffer, 79, 0, &message) == -WISP_EMSGSIZE);
	memset(body, 'y', sizeof(body));
	do {
		uint32_t code = WISP_COAP_NOT_FOUND;
		uint32_t length = 0;

		EXPECT(wisp_coap_receive(0, buffer, 128, WISP_COAP_FOREVER, &message) == 0);
		if (message.target_length == 4 && memcmp(buffer, "long", 4) == 0) {
			code = WISP_COAP_CONTENT;
			length = sizeof(body);
		} else if (message.code == WISP_COAP_PUT) {
			EXPECT(buffer[message.target_length] == (char)('0' + message.offset / 16));
			code = (message.flags & WISP_COAP_MORE) ? WISP_COAP_CONTINUE
								: WISP_COAP_CHANGED;
		} else if (message.code == WISP_COAP_DELETE) {
			code = WISP_COAP_DELETED;
		}
		EXPECT(wisp_coap_respond(0, code, WISP_COAP_NO_FORMAT, body, length, buffer, 128,
					 WISP_COAP_FOREVER) == 0);
	} while (message.code != WISP_COAP_DELETE);
	EXPECT(wisp_coap_respond(0, WISP_COAP_CONTENT, 0, NULL, 0, buffer, 128, 0) == -WISP_EPERM);
}

int main(void)
{
	EXPECT(wisp_net_open(WISP_NET_UDP) == 0);
	EXPECT(ask(WISP_COAP_GET, "t", NULL, 0, 0, 128, 0) == -WISP_EPERM);
	EXPECT(wisp_net_connect(0, LOCAL_HIGH, LOCAL_LOW, 5683, WISP_NET_FOREVER) == 0);
	EXPECT(ask(WISP_COAP_GET, "/t", NULL, 0, 0, 128, 0) == -WISP_EINVAL);
	reads();
	writes();
	observes();
	serves();
	return 0;
}
