/* SPDX-License-Identifier: Apache-2.0 */

/* Asks the servers of the firmware, by datagrams and over a connection. */

#include <string.h>

#include "local.h"

static int datagrams(void)
{
	char answer[16] = {0};
	struct wisp_net_peer peer;
	int32_t socket = wisp_net_open(WISP_NET_UDP);

	EXPECT(socket == 0);
	EXPECT(wisp_net_receive(socket, answer, sizeof(answer), 0) == -WISP_EPERM);
	EXPECT(wisp_net_send_to(socket, "no", 2, LOCAL_HIGH, LOCAL_LOW, 5684, 0) == -WISP_EACCES);
	EXPECT(wisp_net_send_to(socket, "no", 2, LOCAL_HIGH, LOCAL_LOW + 1, 5683, 0) ==
	       -WISP_EACCES);
	EXPECT(wisp_net_bind(socket, 5683) == -WISP_EACCES);
	EXPECT(wisp_net_send_to(socket, "question", 8, LOCAL_HIGH, LOCAL_LOW, 5683,
				WISP_NET_FOREVER) == 0);
	EXPECT(wisp_net_receive_from(socket, answer, 3, WISP_NET_FOREVER, &peer) == 3);
	EXPECT(memcmp(answer, "ans", 4) == 0 && peer.length == 6);
	EXPECT(peer.high == LOCAL_HIGH && peer.low == LOCAL_LOW && peer.port == 5683);
	/* The firmware has sent a datagram from another port first. */
	EXPECT(wisp_net_lost(socket) == 1);
	EXPECT(wisp_net_receive(socket, answer, sizeof(answer), 10) == -WISP_ETIMEDOUT);
	EXPECT(wisp_net_close(socket) == 0);
	EXPECT(wisp_net_close(socket) == -WISP_EBADF);
	return 0;
}

static int connection(void)
{
	char answer[16] = {0};
	struct wisp_event_event event;
	int32_t socket = wisp_net_open(WISP_NET_TCP);

	EXPECT(socket == 0);
	EXPECT(wisp_net_connect(socket, LOCAL_HIGH, LOCAL_LOW, 8001, 0) == -WISP_EACCES);
	EXPECT(wisp_net_connect(socket, LOCAL_HIGH, LOCAL_LOW, 8000, WISP_NET_FOREVER) == 0);
	EXPECT(wisp_net_send(socket, "ping", 4, WISP_NET_FOREVER) == 4);
	EXPECT(wisp_net_watch(socket, WISP_NET_READABLE) == 0);
	EXPECT(wisp_event_wait(WISP_EVENT_FOREVER, &event) == 0);
	EXPECT(event.kind == WISP_EVENT_NET && event.source == (uint32_t)socket);
	EXPECT(event.value == WISP_NET_READABLE);
	EXPECT(wisp_net_ready(socket) & WISP_NET_READABLE);
	EXPECT(wisp_net_receive(socket, answer, sizeof(answer), 0) == 4);
	EXPECT(memcmp(answer, "pong", 4) == 0);
	/* Zephyr's TCP cannot end one direction alone. */
	EXPECT(wisp_net_shutdown(socket) == -WISP_ENOTSUP);
	EXPECT(wisp_net_close(socket) == 0);
	return 0;
}

/* Begins to connect and waits for the event that tells the end. Returns what it tells. */
static int32_t told(int32_t socket, uint32_t port, int32_t *result)
{
	struct wisp_event_event event;

	EXPECT(wisp_net_watch(socket, WISP_NET_READABLE | WISP_NET_WRITABLE) == 0);
	*result = wisp_net_connect(socket, LOCAL_HIGH, LOCAL_LOW, port, 0);
	if (*result != -WISP_ETIMEDOUT) {
		/* The network was faster. */
		return 0;
	}
	EXPECT(wisp_net_connect(socket, LOCAL_HIGH, LOCAL_LOW, 8001, 0) == -WISP_EPERM);
	EXPECT(wisp_event_wait(WISP_EVENT_FOREVER, &event) == 0);
	EXPECT(event.kind == WISP_EVENT_NET && event.source == (uint32_t)socket);
	*result = wisp_net_connect(socket, LOCAL_HIGH, LOCAL_LOW, port, 0);
	return event.value;
}

/* Attempts to connect for which the app does not wait. Nobody listens at port 8009. */
static int attempts(void)
{
	int32_t socket = wisp_net_open(WISP_NET_TCP);
	int32_t result;
	int32_t value;

	EXPECT(wisp_net_connect(socket, LOCAL_HIGH, LOCAL_LOW, 8009, WISP_NET_FOREVER) ==
	       -WISP_ENXIO);
	value = told(socket, 8009, &result);
	EXPECT(value == 0 || value == (WISP_NET_READABLE | WISP_NET_WRITABLE));
	EXPECT(result == -WISP_ENXIO);
	value = told(socket, 8000, &result);
	EXPECT(value == 0 || value == WISP_NET_WRITABLE);
	EXPECT(result == 0);
	EXPECT(wisp_net_ready(socket) == WISP_NET_WRITABLE);
	EXPECT(wisp_net_close(socket) == 0);
	return 0;
}

/* A socket that is watched before it is connected. */
static int watched(void)
{
	struct wisp_event_event event;

	EXPECT(wisp_net_open(WISP_NET_UDP) == 0);
	EXPECT(wisp_net_watch(0, WISP_NET_WRITABLE) == 0);
	EXPECT(wisp_net_connect(0, LOCAL_HIGH, LOCAL_LOW, 5683, 0) == 0);
	EXPECT(wisp_event_wait(WISP_EVENT_FOREVER, &event) == 0);
	EXPECT(event.kind == WISP_EVENT_NET && event.source == 0);
	EXPECT(event.value == WISP_NET_WRITABLE);
	EXPECT(wisp_net_close(0) == 0);
	return 0;
}

/* More sockets than were granted, and again without end. */
static int many(void)
{
	for (int i = 0; i < 50; i++) {
		EXPECT(wisp_net_open(WISP_NET_UDP) == 0);
		EXPECT(wisp_net_connect(0, LOCAL_HIGH, LOCAL_LOW, 5683, 0) == 0);
		EXPECT(wisp_net_open(WISP_NET_TCP) == 1);
		EXPECT(wisp_net_open(WISP_NET_TCP) == 2);
		EXPECT(wisp_net_open(WISP_NET_TCP) == -WISP_ENOMEM);
		EXPECT(wisp_net_close(2) == 0 && wisp_net_close(1) == 0 && wisp_net_close(0) == 0);
	}
	return 0;
}

int main(void)
{
	int line = datagrams();

	line = (line == 0) ? connection() : line;
	line = (line == 0) ? attempts() : line;
	line = (line == 0) ? watched() : line;
	return (line == 0) ? many() : line;
}
