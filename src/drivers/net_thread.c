/* SPDX-License-Identifier: Apache-2.0 */

/* The thread that waits for the sockets of all apps. */

#include <errno.h>

#include <zephyr/kernel.h>
#include <zephyr/net/socket.h>
#include <zephyr/sys/util.h>
#include <zephyr/zvfs/eventfd.h>

#include <wisp/wisp.h>

#include "app/deadline.h"
#include "app/grants.h"
#include "border/shim.h"
#include "drivers/event.h"
#include "drivers/net.h"
#include "drivers/net_address.h"
#include "drivers/net_internal.h"

/* Datagrams that are taken in from one socket before the others have their turn. */
#define AT_ONCE 8

/* Largest datagram that is taken in: what fits into a packet of an Ethernet. */
#define LARGEST 1500

/* Wait for a network stack without room, and for sockets that poll() has no room for. */
#define RETRY_MS 10

/* Results of poll() that end a connection. */
#define ENDED (ZSOCK_POLLHUP | ZSOCK_POLLERR | ZSOCK_POLLNVAL)

/* poll() waits for up to two kernel objects of a connection, and for one that wakes the thread. */
BUILD_ASSERT(CONFIG_ZVFS_POLL_MAX >= 3, "CONFIG_WISP_NET needs CONFIG_ZVFS_POLL_MAX=3 or more");

struct watched {
	const struct wisp_app *app;
	struct wisp_net_socket *socket;
};

static int wake_fd = -1;
static uint8_t datagram[LARGEST];

void wisp_net_wake(void)
{
	if (wake_fd >= 0) {
		(void)zvfs_eventfd_write(wake_fd, 1);
	}
}

bool wisp_net_is_stream(const struct wisp_net_socket *socket)
{
	return socket->tcp && socket->stage == WISP_NET_CONNECTED;
}

uint32_t wisp_net_noted(const struct wisp_net_socket *socket)
{
	uint32_t failed = socket->failed ? WISP_NET_READABLE : 0;

	switch (socket->stage) {
	case WISP_NET_OPEN:
		return 0;
	case WISP_NET_CONNECTING:
		return socket->over ? (failed | WISP_NET_WRITABLE) : 0;
	default:
		break;
	}
	if (!socket->tcp) {
		return ring_buf_is_empty(&socket->queue) ? (failed | WISP_NET_WRITABLE)
							 : (WISP_NET_READABLE | WISP_NET_WRITABLE);
	}
	return (!wisp_net_is_stream(socket) && socket->entered >= 0) ? WISP_NET_READABLE
	       : (socket->stage == WISP_NET_BOUND)                   ? failed
								     : 0;
}

uint32_t wisp_net_stream_ready(const struct wisp_net_socket *socket, int revents)
{
	bool readable = (revents & (ZSOCK_POLLIN | ENDED)) != 0;
	bool writable = (revents & (ZSOCK_POLLOUT | ENDED)) != 0 && !socket->shut_down &&
			socket->unsent == 0;

	return (readable ? WISP_NET_READABLE : 0) | (writable ? WISP_NET_WRITABLE : 0);
}

void wisp_net_tell(const struct wisp_app *app, struct wisp_net_socket *socket, uint32_t readiness)
{
#ifdef CONFIG_WISP_EVENT
	struct wisp_net *net = wisp_net_of(app);
	uint8_t number = (uint8_t)(socket - net->sockets);
	uint8_t due = 0;

	K_SPINLOCK(&net->lock) {
		due = readiness & socket->watched & ~socket->told;
		/*
		 * If the queue of events is full, the next datagram tries again. A connection would
		 * try again at once and without end: its event is lost, as the next event says.
		 */
		if (due != 0 &&
		    (wisp_events_add(app->grants->events, WISP_EVENT_NET, number, due) ||
		     wisp_net_is_stream(socket))) {
			socket->told |= due;
		}
	}
	if (due != 0) {
		wisp_events_announce(app->grants->events);
	}
#else
	ARG_UNUSED(app);
	ARG_UNUSED(socket);
	ARG_UNUSED(readiness);
#endif
}

bool wisp_net_wait(const struct wisp_app *app, struct wisp_net_socket *socket,
		   enum wisp_net_wait wait, uint64_t until_us)
{
	struct wisp_net *net = wisp_net_of(app);
	uint64_t now = wisp_shim_uptime_us();
	uint64_t longest = (wait == WISP_NET_WAIT_ROOM) ? RETRY_MS * USEC_PER_MSEC : UINT64_MAX;

	if (until_us <= now) {
		return false;
	}
	if (wait == WISP_NET_WAIT_READABLE || wait == WISP_NET_WAIT_WRITABLE) {
		K_SPINLOCK(&net->lock) {
			socket->wanted |= (uint8_t)wait;
		}
		wisp_net_wake();
	}
	wisp_app_wait(app, &net->changed, MIN(until_us - now, longest));
	return true;
}

void wisp_net_retire(struct wisp_net *net, struct wisp_net_socket *socket)
{
	volatile bool *closing = &socket->closing;

	if (socket->fd < 0 && socket->entered < 0) {
		return;
	}
	*closing = true;
	wisp_net_wake();
	/* The thread never waits for an app. The semaphore may be left from before a fault. */
	while (*closing) {
		(void)k_sem_take(&net->closed, K_FOREVER);
	}
}

void wisp_net_forget_waits(struct wisp_net *net)
{
	if (net != NULL) {
		k_poll_signal_init(&net->changed);
	}
}

static void close_all(struct wisp_net *net, struct wisp_net_socket *socket)
{
	if (socket->entered >= 0) {
		(void)zsock_close(socket->entered);
	}
	if (socket->fd >= 0) {
		(void)zsock_close(socket->fd);
	}
	K_SPINLOCK(&net->lock) {
		socket->entered = -1;
		socket->fd = -1;
		socket->wanted = 0;
		socket->unsent = 0;
		ring_buf_reset(&socket->queue);
		socket->closing = false;
	}
	k_sem_give(&net->closed);
}

/*
 * Closes the descriptor of a session that has ended, whose packets nobody would read. The app may
 * be sending: its thread looks at `ended` while it has the lock of the descriptor.
 */
static void end_session(struct wisp_net *net, struct wisp_net_socket *socket)
{
	(void)zsock_close(socket->fd);
	K_SPINLOCK(&net->lock) {
		socket->fd = -1;
	}
}

/* Puts a datagram into the queue, or counts it as lost. */
static void keep(struct wisp_net *net, struct wisp_net_socket *socket,
		 const struct wisp_net_record *record)
{
	static const uint8_t filler[WISP_NET_RECORD - sizeof(*record)];

	K_SPINLOCK(&net->lock) {
		if (ring_buf_space_get(&socket->queue) < WISP_NET_RECORD + record->length) {
			socket->lost++;
			K_SPINLOCK_BREAK;
		}
		(void)ring_buf_put(&socket->queue, (const uint8_t *)record, sizeof(*record));
		(void)ring_buf_put(&socket->queue, datagram, record->length);
		(void)ring_buf_put(&socket->queue, filler, sizeof(filler));
	}
}

static void drop(struct wisp_net *net, struct wisp_net_socket *socket)
{
	K_SPINLOCK(&net->lock) {
		socket->lost++;
	}
}

/* Takes in the datagrams that have come. Returns false if there were none. */
static bool take_datagrams(const struct wisp_app *app, struct wisp_net_socket *socket, int revents)
{
	struct wisp_net *net = wisp_net_of(app);

	for (int i = 0; i < AT_ONCE; i++) {
		struct sockaddr_storage address;
		socklen_t size = sizeof(address);
		struct wisp_net_record record;
		ssize_t length = zsock_recvfrom(socket->fd, datagram, sizeof(datagram),
						ZSOCK_MSG_DONTWAIT | ZSOCK_MSG_TRUNC,
						(struct sockaddr *)&address, &size);

		if (length < 0) {
			/* An error that stays is reported by poll() alone. */
			bool failed = errno != EAGAIN || (i == 0 && (revents & ENDED) != 0);

			socket->failed = socket->failed || failed;
			socket->ended = socket->ended || (socket->secure && failed);
			return i > 0;
		}
		record.length = (uint16_t)length;
		if (length <= (ssize_t)sizeof(datagram) &&
		    wisp_net_peer(&record.peer, (struct sockaddr *)&address) &&
		    (socket->secure ||
		     wisp_rust_net_may_enter(app, false, socket->local_port, &record.peer))) {
			keep(net, socket, &record);
		} else {
			drop(net, socket);
		}
	}
	return true;
}

/* Returns true for errors of one connection. Others stay, and the app has to read them. */
static bool is_passing(int error)
{
	switch (error) {
	case EAGAIN:
	case ECONNABORTED:
	case EMFILE:
	case ENFILE:
	case ENOMEM:
		return true;
	default:
		return false;
	}
}

/* Takes in a connection that has come. Returns false if there was none. */
static bool take_connection(const struct wisp_app *app, struct wisp_net_socket *socket)
{
	struct wisp_net *net = wisp_net_of(app);
	struct sockaddr_storage address;
	socklen_t size = sizeof(address);
	struct wisp_net_peer peer;
	int fd = zsock_accept(socket->fd, (struct sockaddr *)&address, &size);

	if (fd < 0) {
		socket->failed = !is_passing(errno);
		return false;
	}
	if (!wisp_net_peer(&peer, (struct sockaddr *)&address) ||
	    !wisp_rust_net_may_enter(app, true, socket->local_port, &peer)) {
		(void)zsock_close(fd);
		drop(net, socket);
		return true;
	}
	(void)zsock_fcntl(fd, ZVFS_F_SETFL, ZVFS_O_NONBLOCK);
	K_SPINLOCK(&net->lock) {
		socket->entered_peer = peer;
		socket->entered = fd;
	}
	return true;
}

/* Handles what poll() returned for a socket. */
static void handle(const struct watched *watched, int revents)
{
	struct wisp_net *net = wisp_net_of(watched->app);
	struct wisp_net_socket *socket = watched->socket;
	bool taken = true;
	uint32_t ready = 0;

#ifdef CONFIG_WISP_NET_TLS
	if (wisp_net_is_stream(socket) && socket->unsent != 0) {
		taken = wisp_net_flush(socket);
	}
#endif
	if (socket->stage == WISP_NET_CONNECTING && !socket->over) {
		socket->failed = (revents & ENDED) != 0;
		socket->over = true;
	} else if (wisp_net_is_stream(socket)) {
		ready = wisp_net_stream_ready(socket, revents);
		K_SPINLOCK(&net->lock) {
			socket->wanted &= ~ready;
		}
	} else if (socket->tcp) {
		taken = take_connection(watched->app, socket);
	} else {
		taken = take_datagrams(watched->app, socket, revents);
	}
	wisp_net_tell(watched->app, socket, ready | wisp_net_noted(socket));
	(void)k_poll_signal_raise(&net->changed, 0);
	if (!taken) {
		/* A socket that stays ready without anything to take must not keep the processor.
		 */
		k_msleep(RETRY_MS);
	}
}

/* Returns what to wait for at a socket. */
static short interest(const struct wisp_net_socket *socket)
{
	uint8_t wanted = socket->wanted | (socket->watched & ~socket->told);

	if (!socket->open || socket->fd < 0 || socket->stage == WISP_NET_OPEN) {
		return 0;
	}
	if (socket->stage == WISP_NET_CONNECTING) {
		/* Datagrams are taken in before the app takes the result of a handshake. */
		if (socket->secure) {
			return (socket->over && !socket->tcp) ? ZSOCK_POLLIN : 0;
		}
		return socket->over ? 0 : ZSOCK_POLLOUT;
	}
	if (wisp_net_is_stream(socket)) {
		bool writes = (wanted & WISP_NET_WRITABLE) != 0 && !socket->shut_down;

		return ((wanted & WISP_NET_READABLE) ? ZSOCK_POLLIN : 0) |
		       ((writes || socket->unsent != 0) ? ZSOCK_POLLOUT : 0);
	}
	/*
	 * A full listener, or one with a failure that the app has not read, is not polled again.
	 * Datagrams are always taken in, so that they keep no packets of the network stack.
	 */
	return (socket->tcp && (socket->failed || socket->entered >= 0)) ? 0 : ZSOCK_POLLIN;
}

/* What poll() waits for, with room for what wakes the thread. */
struct polls {
	struct zsock_pollfd entries[CONFIG_ZVFS_POLL_MAX];
	struct watched watched[CONFIG_ZVFS_POLL_MAX];
	uint32_t count;
	/* Kernel objects that poll() waits for: a connection may have two. */
	uint32_t objects;
};

/* Adds a socket. Returns false if there is no room. */
static bool add(struct polls *polls, const struct wisp_app *app, struct wisp_net_socket *socket,
		short events)
{
	uint32_t objects = (events == (ZSOCK_POLLIN | ZSOCK_POLLOUT)) ? 2 : 1;

	if (polls->objects + objects + 1 > CONFIG_ZVFS_POLL_MAX) {
		return false;
	}
	polls->objects += objects;
	polls->entries[polls->count] = (struct zsock_pollfd){.fd = socket->fd, .events = events};
	polls->watched[polls->count] = (struct watched){.app = app, .socket = socket};
	polls->count++;
	return true;
}

/*
 * Closes what is to be closed and collects what to wait for, beginning with socket `first` of all.
 * Returns where to begin next time: 0 if all had room.
 */
static uint32_t collect(struct polls *polls, uint32_t first)
{
	uint32_t number = 0;
	uint32_t next = 0;

	polls->count = 0;
	polls->objects = 0;
	STRUCT_SECTION_FOREACH(wisp_app, app) {
		struct wisp_net *net = wisp_net_of(app);

		for (uint32_t i = 0; net != NULL && i < net->socket_count; i++, number++) {
			struct wisp_net_socket *socket = &net->sockets[i];
			short events;

			if (socket->closing) {
				close_all(net, socket);
			} else if (socket->ended && socket->fd >= 0) {
				end_session(net, socket);
			}
			events = interest(socket);
			if (events != 0 && number >= first && next == 0 &&
			    !add(polls, app, socket, events)) {
				next = number;
			}
		}
	}
	return next;
}

static void run(void *a, void *b, void *c)
{
	static struct polls polls;
	uint32_t first = 0;

	ARG_UNUSED(a);
	ARG_UNUSED(b);
	ARG_UNUSED(c);
	wake_fd = zvfs_eventfd(0, ZVFS_EFD_NONBLOCK);
	while (true) {
		zvfs_eventfd_t count;
		uint32_t next = collect(&polls, first);
		/* Sockets that had no room this time have their turn soon. */
		bool more = next != 0 || first != 0 || wake_fd < 0;
		int ready;

		polls.entries[polls.count] =
			(struct zsock_pollfd){.fd = wake_fd, .events = ZSOCK_POLLIN};
		ready = zsock_poll(polls.entries, (int)polls.count + 1, more ? RETRY_MS : -1);
		if (ready < 0) {
			k_msleep(RETRY_MS);
		}
		(void)zvfs_eventfd_read(wake_fd, &count);
		for (uint32_t i = 0; i < polls.count; i++) {
			if (ready > 0 && polls.entries[i].revents != 0) {
				handle(&polls.watched[i], polls.entries[i].revents);
			}
		}
		first = next;
		/* Threads of the same priority have their turn, however much there is to do. */
		k_yield();
	}
}

K_THREAD_DEFINE(wisp_net, CONFIG_WISP_NET_STACK_SIZE, run, NULL, NULL, NULL,
		CONFIG_WISP_NET_PRIORITY, 0, 0);
