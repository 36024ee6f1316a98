/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Sockets of apps. The sockets of Zephyr never block. One thread waits for all of them, and takes
 * in datagrams and connections if their peers are granted. It is the only one that closes a socket,
 * because nothing may wait for a socket that is closed. An app waits for the thread's signal and
 * for its own stop semaphore.
 */

#include <errno.h>
#include <string.h>

#include <zephyr/kernel.h>
#include <zephyr/net/net_ip.h>
#include <zephyr/net/socket.h>
#include <zephyr/sys/util.h>
#include <zephyr/zvfs/eventfd.h>

#include <wisp/wisp.h>

#include "app/grants.h"
#include "drivers/event.h"
#include "drivers/net.h"
#include "drivers/net_address.h"
#include "drivers/net_internal.h"

/* Longest wait of close() for room for what TLS has taken: TCP asks for room once a second. */
#define CLOSING_US (2 * USEC_PER_SEC)

/* Connections that the network stack holds for a listener. */
#define BACKLOG 4

uint32_t wisp_net_error(int error)
{
	switch (error) {
	case ECONNREFUSED:
	case EHOSTUNREACH:
	case ENETUNREACH:
	case ENETDOWN:
	case EADDRNOTAVAIL:
	case ETIMEDOUT:
		return WISP_ENXIO;
	case EADDRINUSE:
		return WISP_EBUSY;
	case EMFILE:
	case ENFILE:
	case ENOMEM:
	case ENOBUFS:
		return WISP_ENOMEM;
	case ENOTSUP:
		return WISP_ENOTSUP;
	default:
		return WISP_EIO;
	}
}

struct wisp_net *wisp_net_of(const struct wisp_app *app)
{
	return (app->grants == NULL) ? NULL : app->grants->net;
}

/* Rust passes only numbers of open sockets. The check limits the effect of a mistake there. */
struct wisp_net_socket *wisp_net_socket(const struct wisp_app *app, uint32_t number)
{
	struct wisp_net *net = wisp_net_of(app);

	if (net == NULL || number >= net->socket_count || !net->sockets[number].open) {
		return NULL;
	}
	return &net->sockets[number];
}

uint32_t wisp_shim_net_open(const struct wisp_app *app, bool tcp, bool secure, uint32_t *socket)
{
	struct wisp_net *net = wisp_net_of(app);

	if (secure && !(IS_ENABLED(CONFIG_WISP_NET_TLS) &&
			(tcp || IS_ENABLED(CONFIG_NET_SOCKETS_ENABLE_DTLS)))) {
		return WISP_ENOTSUP;
	}
	for (uint32_t i = 0; net != NULL && i < net->socket_count; i++) {
		struct wisp_net_socket *found = &net->sockets[i];

		if (found->open) {
			continue;
		}
		K_SPINLOCK(&net->lock) {
			*found = (struct wisp_net_socket){
				.fd = -1,
				.entered = -1,
				.tcp = tcp,
				.secure = secure,
				.open = true,
			};
			ring_buf_init(&found->queue, net->queue_size,
				      &net->queues[i * net->queue_size]);
		}
		*socket = i;
		return 0;
	}
	return WISP_ENOMEM;
}

bool wisp_shim_net_state(const struct wisp_app *app, uint32_t socket, struct wisp_net_state *state)
{
	const struct wisp_net_socket *found = wisp_net_socket(app, socket);

	if (found == NULL) {
		return false;
	}
	*state = (struct wisp_net_state){
		.peer = found->peer,
		.local_port = found->local_port,
		.stage = found->stage,
		.tcp = found->tcp,
		.secure = found->secure,
	};
	return true;
}

void wisp_net_used(const struct wisp_app *app, struct wisp_net_socket *socket)
{
	K_SPINLOCK(&wisp_net_of(app)->lock) {
		socket->told = 0;
	}
	wisp_net_tell(app, socket, wisp_net_noted(socket));
	wisp_net_wake();
}

uint32_t wisp_net_make(struct wisp_net_socket *socket, bool ipv4)
{
	int fd;

	if (!(ipv4 ? IS_ENABLED(CONFIG_NET_IPV4) : IS_ENABLED(CONFIG_NET_IPV6))) {
		return WISP_EIO;
	}
	fd = zsock_socket(ipv4 ? AF_INET : AF_INET6, socket->tcp ? SOCK_STREAM : SOCK_DGRAM,
			  socket->tcp ? IPPROTO_TCP : IPPROTO_UDP);
	if (fd < 0) {
		return wisp_net_error(errno);
	}
	(void)zsock_fcntl(fd, ZVFS_F_SETFL, ZVFS_O_NONBLOCK);
	socket->ipv4 = ipv4;
	socket->fd = fd;
	return 0;
}

uint32_t wisp_shim_net_bind(const struct wisp_app *app, uint32_t socket, bool ipv4, uint16_t port)
{
	struct wisp_net *net = wisp_net_of(app);
	struct wisp_net_socket *found = wisp_net_socket(app, socket);
	struct sockaddr_storage address;
	socklen_t length = wisp_net_any(&address, ipv4, port);
	uint32_t error;
	int on = 1;

	if (found == NULL) {
		return WISP_EBADF;
	}
	error = wisp_net_make(found, ipv4);
	if (error != 0) {
		return error;
	}
	if (!ipv4) {
		(void)zsock_setsockopt(found->fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on));
	}
	if (found->tcp) {
		/* Connections of an earlier run may still be ending. */
		(void)zsock_setsockopt(found->fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	}
	if (zsock_bind(found->fd, (struct sockaddr *)&address, length) != 0 ||
	    (found->tcp && zsock_listen(found->fd, BACKLOG) != 0)) {
		error = wisp_net_error(errno);
		wisp_net_retire(net, found);
		return error;
	}
	found->local_port = port;
	found->stage = WISP_NET_BOUND;
	wisp_net_used(app, found);
	return 0;
}

/* Begins to connect. Returns 0 or an enum wisp_errno. */
static uint32_t begin(const struct wisp_app *app, struct wisp_net_socket *socket,
		      const struct wisp_net_peer *peer, const struct wisp_net_proof *proof)
{
	struct wisp_net *net = wisp_net_of(app);
	struct sockaddr_storage address;
	socklen_t length = wisp_net_address(&address, peer);
	uint32_t error;

#ifdef CONFIG_WISP_NET_TLS
	/* Without a proof, nothing is sent in plain text. */
	if (socket->secure) {
		return proof == NULL ? WISP_EIO : wisp_net_tls_begin(app, socket, peer, proof);
	}
#else
	ARG_UNUSED(proof);
#endif
	error = wisp_net_make(socket, address.ss_family == AF_INET);
	if (error != 0) {
		return error;
	}
	socket->over = false;
	socket->failed = false;
	if (zsock_connect(socket->fd, (struct sockaddr *)&address, length) != 0 &&
	    errno != EINPROGRESS) {
		error = wisp_net_error(errno);
		wisp_net_retire(net, socket);
		return error;
	}
	socket->peer = *peer;
	socket->stage = socket->tcp ? WISP_NET_CONNECTING : WISP_NET_CONNECTED;
	wisp_net_wake();
	return 0;
}

/* Looks whether an attempt to connect has ended, with an `error` or success. */
static bool has_ended(struct wisp_net *net, struct wisp_net_socket *socket,
		      const struct wisp_net_peer *peer, uint32_t *error)
{
	struct sockaddr_storage address;
	socklen_t length = wisp_net_address(&address, peer);
	/* The thread may note the end between this check and the next call. */
	bool over = socket->over;

#ifdef CONFIG_WISP_NET_TLS
	if (socket->secure) {
		return wisp_net_tls_has_ended(socket, error);
	}
#endif
	/* A further call returns the state of the attempt. */
	if (zsock_connect(socket->fd, (struct sockaddr *)&address, length) == 0) {
		socket->stage = WISP_NET_CONNECTED;
		socket->failed = false;
		return true;
	}
	if (!over && (errno == EALREADY || errno == EINPROGRESS)) {
		return false;
	}
	*error = over && (errno == EALREADY) ? WISP_ENXIO : wisp_net_error(errno);
	socket->stage = WISP_NET_OPEN;
	wisp_net_retire(net, socket);
	return true;
}

uint32_t wisp_shim_net_connect(const struct wisp_app *app, uint32_t socket,
			       const struct wisp_net_peer *peer, const struct wisp_net_proof *proof,
			       uint64_t until_us, uint32_t *error)
{
	struct wisp_net *net = wisp_net_of(app);
	struct wisp_net_socket *found = wisp_net_socket(app, socket);

	if (found == NULL) {
		*error = WISP_EBADF;
		return WISP_WAIT_EVENT;
	}
	*error = (found->stage == WISP_NET_OPEN) ? begin(app, found, peer, proof) : 0;
	if (*error == 0 && found->stage == WISP_NET_CONNECTED) {
		wisp_net_used(app, found);
		return WISP_WAIT_EVENT;
	}
	if (*error != 0) {
		return WISP_WAIT_EVENT;
	}
	while (!app->data->stopping) {
		bool ended;

		k_poll_signal_reset(&net->changed);
		ended = has_ended(net, found, peer, error);
		if (ended || !wisp_net_wait(app, found, WISP_NET_WAIT_NEWS, until_us)) {
			wisp_net_used(app, found);
			return ended ? WISP_WAIT_EVENT : WISP_WAIT_NOTHING;
		}
	}
	return WISP_WAIT_STOP;
}

/* Takes the connection that waits at a listener. Returns false if there is none. */
static bool take_entered(struct wisp_net *net, struct wisp_net_socket *listener,
			 struct wisp_net_socket *taken)
{
	K_SPINLOCK(&net->lock) {
		taken->peer = listener->entered_peer;
		taken->ipv4 = listener->ipv4;
		taken->fd = listener->entered;
		taken->stage = (taken->fd >= 0) ? WISP_NET_CONNECTED : WISP_NET_OPEN;
		listener->entered = -1;
		listener->told = 0;
	}
	/* Another connection may come in. */
	wisp_net_wake();
	return taken->fd >= 0;
}

uint32_t wisp_shim_net_accept(const struct wisp_app *app, uint32_t socket, uint64_t until_us,
			      uint32_t *accepted, struct wisp_net_peer *peer, uint32_t *error)
{
	struct wisp_net *net = wisp_net_of(app);
	struct wisp_net_socket *found = wisp_net_socket(app, socket);
	struct wisp_net_socket *taken;

	*error = (found == NULL) ? WISP_EBADF : wisp_shim_net_open(app, true, false, accepted);
	if (*error != 0) {
		return WISP_WAIT_EVENT;
	}
	taken = &net->sockets[*accepted];
	while (!app->data->stopping) {
		k_poll_signal_reset(&net->changed);
		if (take_entered(net, found, taken)) {
			*peer = taken->peer;
			return WISP_WAIT_EVENT;
		}
		if (found->failed) {
			found->failed = false;
			*error = WISP_EIO;
		} else if (wisp_net_wait(app, found, WISP_NET_WAIT_NEWS, until_us)) {
			continue;
		}
		taken->open = false;
		wisp_net_used(app, found);
		return (*error != 0) ? WISP_WAIT_EVENT : WISP_WAIT_NOTHING;
	}
	taken->open = false;
	return WISP_WAIT_STOP;
}

/* Takes a datagram out of the queue. The caller holds the lock. Returns false if there is none. */
static bool take(struct wisp_net_socket *socket, uint8_t *buffer, size_t size, uint32_t *count,
		 uint32_t *length, struct wisp_net_peer *peer)
{
	struct wisp_net_record record;
	uint32_t fits;

	if (ring_buf_get(&socket->queue, (uint8_t *)&record, sizeof(record)) == 0) {
		return false;
	}
	fits = MIN(size, record.length);
	(void)ring_buf_get(&socket->queue, buffer, fits);
	(void)ring_buf_get(&socket->queue, NULL,
			   record.length - fits + WISP_NET_RECORD - sizeof(record));
	*count = fits;
	*length = record.length;
	*peer = record.peer;
	return true;
}

/* Tries to receive. Returns false if there is nothing. */
static bool try_receive(struct wisp_net *net, struct wisp_net_socket *socket, uint8_t *buffer,
			size_t size, uint32_t *count, uint32_t *length, struct wisp_net_peer *peer,
			uint32_t *error)
{
	bool done = false;

	if (socket->tcp) {
		ssize_t received = zsock_recv(socket->fd, buffer, size, ZSOCK_MSG_DONTWAIT);

		*count = (uint32_t)MAX(received, 0);
		*length = *count;
		*error = (received < 0 && errno != EAGAIN) ? WISP_EIO : 0;
		return received >= 0 || *error != 0;
	}
	K_SPINLOCK(&net->lock) {
		done = take(socket, buffer, size, count, length, peer);
		if (!done && socket->failed) {
			/* A session that has ended does not come back. */
			socket->failed = socket->ended;
			*error = socket->ended ? WISP_EIO : WISP_ENXIO;
			done = true;
		}
	}
	return done;
}

uint32_t wisp_shim_net_receive(const struct wisp_app *app, uint32_t socket, uint8_t *buffer,
			       size_t size, uint64_t until_us, uint32_t *count, uint32_t *length,
			       struct wisp_net_peer *peer, uint32_t *error)
{
	struct wisp_net *net = wisp_net_of(app);
	struct wisp_net_socket *found = wisp_net_socket(app, socket);

	*error = (found == NULL) ? WISP_EBADF : 0;
	if (*error != 0) {
		return WISP_WAIT_EVENT;
	}
	while (!app->data->stopping) {
		k_poll_signal_reset(&net->changed);
		if (try_receive(net, found, buffer, size, count, length, peer, error)) {
			wisp_net_used(app, found);
			return WISP_WAIT_EVENT;
		}
		if (!wisp_net_wait(app, found,
				   found->tcp ? WISP_NET_WAIT_READABLE : WISP_NET_WAIT_NEWS,
				   until_us)) {
			wisp_net_used(app, found);
			return WISP_WAIT_NOTHING;
		}
	}
	return WISP_WAIT_STOP;
}

/* Changes what an app watches. Afterwards, no event is added for what it watched before. */
static void set_watched(const struct wisp_app *app, struct wisp_net_socket *socket,
			uint8_t readiness)
{
	K_SPINLOCK(&wisp_net_of(app)->lock) {
		socket->watched = readiness;
	}
}

uint32_t wisp_shim_net_watch(const struct wisp_app *app, uint32_t socket, uint32_t readiness)
{
	struct wisp_net_socket *found = wisp_net_socket(app, socket);

	if (!IS_ENABLED(CONFIG_WISP_EVENT)) {
		return WISP_ENOTSUP;
	}
	if (found == NULL) {
		return WISP_EBADF;
	}
	set_watched(app, found, 0);
#ifdef CONFIG_WISP_EVENT
	wisp_events_drop(app->grants->events, WISP_EVENT_NET, (uint8_t)socket);
#endif
	set_watched(app, found, (uint8_t)readiness);
	wisp_net_used(app, found);
	return 0;
}

uint32_t wisp_shim_net_ready(const struct wisp_app *app, uint32_t socket)
{
	struct wisp_net_socket *found = wisp_net_socket(app, socket);
	struct zsock_pollfd poll = {.events = ZSOCK_POLLIN | ZSOCK_POLLOUT};

	if (found == NULL) {
		return 0;
	}
	if (!wisp_net_is_stream(found)) {
		return wisp_net_noted(found);
	}
	poll.fd = found->fd;
	return (zsock_poll(&poll, 1, 0) > 0) ? wisp_net_stream_ready(found, poll.revents) : 0;
}

uint32_t wisp_shim_net_lost(const struct wisp_app *app, uint32_t socket)
{
	struct wisp_net *net = wisp_net_of(app);
	struct wisp_net_socket *found = wisp_net_socket(app, socket);
	uint32_t lost = 0;

	if (found != NULL) {
		K_SPINLOCK(&net->lock) {
			lost = found->lost;
			found->lost = 0;
		}
	}
	return lost;
}

uint32_t wisp_shim_net_shutdown(const struct wisp_app *app, uint32_t socket)
{
	struct wisp_net_socket *found = wisp_net_socket(app, socket);

	if (found == NULL) {
		return WISP_EBADF;
	}
#ifdef CONFIG_WISP_NET_TLS
	/* Zephyr's TLS would end the connection below without telling the peer. */
	if (found->secure) {
		return WISP_ENOTSUP;
	}
#endif
	/* Zephyr's own TCP cannot end one direction alone. */
	if (zsock_shutdown(found->fd, ZSOCK_SHUT_WR) != 0) {
		return wisp_net_error(errno);
	}
	found->shut_down = true;
	return 0;
}

#ifdef CONFIG_WISP_NET_TLS
/* Waits until what TLS has taken is sent, which the thread of the network does. */
static void send_rest(const struct wisp_app *app, struct wisp_net_socket *socket)
{
	struct wisp_net *net = wisp_net_of(app);
	uint64_t until_us = wisp_shim_uptime_us() + CLOSING_US;
	bool waited = true;

	while (waited && !app->data->stopping) {
		k_poll_signal_reset(&net->changed);
		waited = socket->unsent != 0 &&
			 wisp_net_wait(app, socket, WISP_NET_WAIT_NEWS, until_us);
	}
}
#endif

/* Closes a socket at once. */
static void close_now(const struct wisp_app *app, uint32_t socket)
{
	struct wisp_net_socket *found = wisp_net_socket(app, socket);

	if (found == NULL) {
		return;
	}
	set_watched(app, found, 0);
#ifdef CONFIG_WISP_NET_TLS
	wisp_net_tls_give_up(found);
#endif
	wisp_net_retire(wisp_net_of(app), found);
	found->open = false;
#ifdef CONFIG_WISP_EVENT
	wisp_events_drop(app->grants->events, WISP_EVENT_NET, (uint8_t)socket);
#endif
}

void wisp_shim_net_close(const struct wisp_app *app, uint32_t socket)
{
	struct wisp_net_socket *found = wisp_net_socket(app, socket);

#ifdef CONFIG_WISP_NET_TLS
	if (found != NULL) {
		send_rest(app, found);
	}
#else
	ARG_UNUSED(found);
#endif
	close_now(app, socket);
}

void wisp_shim_net_release(const struct wisp_app *app)
{
	struct wisp_net *net = wisp_net_of(app);

	if (net == NULL) {
		return;
	}
	wisp_net_unlock();
	for (uint32_t i = 0; i < net->socket_count; i++) {
		close_now(app, i);
	}
#ifdef CONFIG_WISP_NET_TLS
	wisp_net_tls_release(app);
#endif
	wisp_net_forget(net);
}
