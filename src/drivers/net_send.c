/* SPDX-License-Identifier: Apache-2.0 */

/* Sends for the sockets of apps. */

#include <errno.h>

#include <zephyr/kernel.h>
#include <zephyr/net/net_if.h>
#include <zephyr/net/net_ip.h>
#include <zephyr/net/net_pkt.h>
#include <zephyr/net/socket.h>
#include <zephyr/sys/fdtable.h>
#include <zephyr/sys/util.h>

#ifdef CONFIG_WISP_NET_TLS
#include <mbedtls/ssl.h>
#endif

#include <wisp/wisp.h>

#include "app/grants.h"
#include "drivers/net.h"
#include "drivers/net_address.h"
#include "drivers/net_internal.h"

/* Bytes in a record that every peer takes: the smallest limit that TLS can agree on. */
#define LARGEST_RECORD 512

/* Bytes that TLS and DTLS add to a record at most: the header, and what a cipher needs. */
#define RECORD_OVERHEAD 96

/* Bytes of a datagram that one record of DTLS takes. Zephyr agrees on a power of two with the peer.
 */
#ifdef CONFIG_NET_SOCKETS_DTLS_MAX_FRAGMENT_LENGTH
#define DTLS_CONTENT                                                                               \
	MIN(CONFIG_NET_SOCKETS_DTLS_MAX_FRAGMENT_LENGTH,                                           \
	    MIN(MBEDTLS_SSL_IN_CONTENT_LEN, MBEDTLS_SSL_OUT_CONTENT_LEN))
#define DTLS_LARGEST                                                                               \
	(DTLS_CONTENT >= 4096   ? 4096                                                             \
	 : DTLS_CONTENT >= 2048 ? 2048                                                             \
	 : DTLS_CONTENT >= 1024 ? 1024                                                             \
				: 512)
#else
#define DTLS_LARGEST MBEDTLS_SSL_OUT_CONTENT_LEN
#endif

/* Returns the interface that leads to an address, or NULL. */
static struct net_if *interface_to(const struct sockaddr_storage *to)
{
#ifdef CONFIG_NET_IPV4
	if (to->ss_family == AF_INET) {
		return net_if_ipv4_select_src_iface(&((const struct sockaddr_in *)to)->sin_addr);
	}
#endif
#ifdef CONFIG_NET_IPV6
	if (to->ss_family == AF_INET6) {
		return net_if_ipv6_select_src_iface(&((const struct sockaddr_in6 *)to)->sin6_addr);
	}
#endif
	return NULL;
}

/*
 * Returns true if a datagram is longer than a packet on its way can be, for which Zephyr has the
 * error of a network without room.
 */
static bool is_too_long(const struct sockaddr_storage *to, size_t length)
{
	bool ipv4 = to->ss_family == AF_INET;

	if (ipv4 ? IS_ENABLED(CONFIG_NET_IPV4_FRAGMENT) : IS_ENABLED(CONFIG_NET_IPV6_FRAGMENT)) {
		return false;
	}
	return length + (ipv4 ? NET_IPV4UDPH_LEN : NET_IPV6UDPH_LEN) >
	       net_if_get_mtu(interface_to(to));
}

/* Returns true if the network stack has a packet and buffers for a datagram. */
static bool has_room(const struct sockaddr_storage *to, size_t length)
{
	struct net_pkt *packet = net_pkt_alloc_with_buffer(interface_to(to), length, to->ss_family,
							   IPPROTO_UDP, K_NO_WAIT);

	if (packet == NULL) {
		return false;
	}
	net_pkt_unref(packet);
	return true;
}

#ifdef CONFIG_WISP_NET_TLS
/*
 * Sends bytes by TLS, of which one call takes as much as every peer takes in one record. What has
 * no room in the connection counts as sent, because mbedTLS keeps it and cannot give it back. The
 * thread of the network sends it before TLS takes more.
 */
static ssize_t try_send_tls(struct wisp_net_socket *socket, const uint8_t *bytes, size_t length,
			    const struct sockaddr_storage *to)
{
	size_t count = MIN(length, LARGEST_RECORD);
	ssize_t sent;

	if (socket->unsent != 0) {
		errno = EAGAIN;
		return -1;
	}
	/* Zephyr's TLS ends a connection for which there is no packet. */
	if (!has_room(to, count + RECORD_OVERHEAD)) {
		errno = ENOBUFS;
		return -1;
	}
	sent = zsock_send(socket->fd, bytes, count, ZSOCK_MSG_DONTWAIT);
	if (sent >= 0 || errno != EAGAIN) {
		return sent;
	}
	socket->unsent = (uint16_t)count;
	wisp_net_wake();
	return (ssize_t)count;
}

bool wisp_net_flush(struct wisp_net_socket *socket)
{
	struct sockaddr_storage to;

	(void)wisp_net_address(&to, &socket->peer);
	if (!has_room(&to, socket->unsent + RECORD_OVERHEAD)) {
		return false;
	}
	/* mbedTLS sends what it kept. If it has sent that by itself, no bytes are to follow. */
	if (zsock_send(socket->fd, "", 0, ZSOCK_MSG_DONTWAIT) >= 0 || errno != EAGAIN) {
		socket->unsent = 0;
	}
	return true;
}

#ifdef CONFIG_NET_SOCKETS_ENABLE_DTLS
/* Returns false if the session of a descriptor has ended. */
static bool has_session(int fd)
{
	int suite;
	socklen_t size = sizeof(suite);

	return zsock_getsockopt(fd, SOL_TLS, TLS_CIPHERSUITE_USED, &suite, &size) == 0 ||
	       errno != ENOTCONN;
}

/*
 * Sends a datagram by DTLS. Zephyr ends a session for each error, and makes the handshake of
 * another one in the next call, which waits. So an error is found before the call where that is
 * possible, and nothing is sent without a session. The lock keeps the thread of the network from
 * ending the session in between.
 */
static ssize_t try_send_dtls(struct wisp_net_socket *socket, const uint8_t *bytes, size_t length,
			     const struct sockaddr_storage *to)
{
	const struct fd_op_vtable *vtable;
	struct k_mutex *lock;
	int fd = socket->fd;
	int error = ENOTCONN;
	ssize_t sent = -1;

	if (socket->ended || zvfs_get_fd_obj_and_vtable(fd, &vtable, &lock) == NULL) {
		errno = ENOTCONN;
		return -1;
	}
	if (length > DTLS_LARGEST || is_too_long(to, length + RECORD_OVERHEAD)) {
		errno = EMSGSIZE;
		return -1;
	}
	if (!has_room(to, length + RECORD_OVERHEAD)) {
		errno = ENOBUFS;
		return -1;
	}
	(void)k_mutex_lock(lock, K_FOREVER);
	if (!socket->ended && has_session(fd)) {
		sent = zsock_send(fd, bytes, length, ZSOCK_MSG_DONTWAIT);
		error = errno;
	}
	if (sent < 0 && error != EAGAIN) {
		error = ENOTCONN;
		socket->failed = true;
		socket->ended = true;
	}
	(void)k_mutex_unlock(lock);
	if (socket->ended) {
		wisp_net_wake();
	}
	errno = error;
	return sent;
}
#endif
#endif /* CONFIG_WISP_NET_TLS */

/* Sends to an address, or with a `size` of 0 to the connected peer. Returns what zsock_sendto()
 * does.
 */
static ssize_t try_send(struct wisp_net_socket *socket, const uint8_t *bytes, size_t length,
			const struct sockaddr_storage *to, socklen_t size)
{
	const struct sockaddr *peer = (size == 0) ? NULL : (const struct sockaddr *)to;

#ifdef CONFIG_WISP_NET_TLS
	if (socket->tcp && socket->secure) {
		return try_send_tls(socket, bytes, length, to);
	}
#ifdef CONFIG_NET_SOCKETS_ENABLE_DTLS
	if (socket->secure) {
		return try_send_dtls(socket, bytes, length, to);
	}
#endif
#endif
	/* Zephyr would wait for a packet for a second, and lock out the thread of the network. */
	if (!socket->tcp && !has_room(to, length)) {
		errno = ENOBUFS;
		return -1;
	}
	return zsock_sendto(socket->fd, bytes, length, ZSOCK_MSG_DONTWAIT, peer, size);
}

/* Translates the error of an attempt to send. Returns 0 if the call has to wait. */
static uint32_t send_error(const struct wisp_net_socket *socket, const struct sockaddr_storage *to,
			   size_t length, int error)
{
	switch (error) {
	case EAGAIN:
		return 0;
	case EMSGSIZE:
		return WISP_EMSGSIZE;
	case ENOMEM:
	case ENOBUFS:
		return (!socket->tcp && is_too_long(to, length)) ? WISP_EMSGSIZE : 0;
	default:
		return wisp_net_error(error);
	}
}

/* Makes a socket ready to send to an address. Returns 0 or an enum wisp_errno. */
static uint32_t prepare(struct wisp_net_socket *socket, const struct sockaddr_storage *to)
{
	bool ipv4 = to->ss_family == AF_INET;

	if (socket->shut_down) {
		return WISP_EPERM;
	}
	if (socket->stage == WISP_NET_OPEN) {
		uint32_t error = wisp_net_make(socket, ipv4);

		if (error != 0) {
			return error;
		}
		socket->stage = WISP_NET_BOUND;
	}
	return (socket->ipv4 == ipv4) ? 0 : WISP_EINVAL;
}

uint32_t wisp_shim_net_send(const struct wisp_app *app, uint32_t socket, const uint8_t *bytes,
			    size_t length, const struct wisp_net_peer *to, uint64_t until_us,
			    uint32_t *count, uint32_t *error)
{
	struct wisp_net *net = wisp_net_of(app);
	struct wisp_net_socket *found = wisp_net_socket(app, socket);
	struct sockaddr_storage address;
	socklen_t size;

	if (found == NULL) {
		*error = WISP_EBADF;
		return WISP_WAIT_EVENT;
	}
	size = wisp_net_address(&address, (to == NULL) ? &found->peer : to);
	*error = prepare(found, &address);
	while (*error == 0 && !app->data->stopping) {
		enum wisp_net_wait wait;
		ssize_t sent;

		k_poll_signal_reset(&net->changed);
		sent = try_send(found, bytes, length, &address, (to == NULL) ? 0 : size);
		if (sent >= 0) {
			*count = (uint32_t)sent;
			break;
		}
		wait = (found->tcp && errno == EAGAIN) ? WISP_NET_WAIT_WRITABLE
						       : WISP_NET_WAIT_ROOM;
		*error = send_error(found, &address, length, errno);
		if (*error == 0 && !wisp_net_wait(app, found, wait, until_us)) {
			wisp_net_used(app, found);
			return WISP_WAIT_NOTHING;
		}
	}
	if (app->data->stopping) {
		return WISP_WAIT_STOP;
	}
	wisp_net_used(app, found);
	return WISP_WAIT_EVENT;
}
