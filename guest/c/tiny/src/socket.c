/* SPDX-License-Identifier: Apache-2.0 */

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <wisp.h>

/* The upper bits of the lower half of an IPv4 address. */
#define MAPPED 0xffff00000000ull

int errno;

/* Returns the result of a call, or -1 with the error in errno. */
static int32_t result(int32_t code)
{
	if (code >= 0) {
		return code;
	}
	errno = -code;
	return -1;
}

/* Returns the time that a call waits. */
static uint32_t timeout(int flags)
{
	return (flags & MSG_DONTWAIT) ? 0 : WISP_NET_FOREVER;
}

/* Returns the result of a call that may not have waited. */
static int32_t waited(int32_t code, int flags)
{
	bool late = code == -WISP_ETIMEDOUT && (flags & MSG_DONTWAIT);

	return result(late ? -WISP_EAGAIN : code);
}

/* Reads 8 bytes, the most significant first. */
static uint64_t half(const uint8_t *bytes)
{
	uint64_t number;

	memcpy(&number, bytes, sizeof(number));
	return __builtin_bswap64(number);
}

static void split(uint8_t *bytes, uint64_t number)
{
	number = __builtin_bswap64(number);
	memcpy(bytes, &number, sizeof(number));
}

/* An address as the host has it. */
struct peer {
	uint64_t high;
	uint64_t low;
	uint16_t port;
};

/* Reads an address. Returns false if it is none. */
static bool read_address(struct peer *peer, const struct sockaddr *address, socklen_t length)
{
	const struct sockaddr_in *v4 = (const struct sockaddr_in *)address;
	const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)address;

	if (address != NULL && length >= sizeof(*v4) && address->sa_family == AF_INET) {
		peer->high = 0;
		peer->low = MAPPED | ntohl(v4->sin_addr.s_addr);
		peer->port = ntohs(v4->sin_port);
		return true;
	}
	if (address != NULL && length >= sizeof(*v6) && address->sa_family == AF_INET6) {
		peer->high = half(&v6->sin6_addr.s6_addr[0]);
		peer->low = half(&v6->sin6_addr.s6_addr[8]);
		peer->port = ntohs(v6->sin6_port);
		return true;
	}
	errno = EINVAL;
	return false;
}

/* Writes the address of a peer, as much of it as fits. */
static void write_address(struct sockaddr *address, socklen_t *length,
			  const struct wisp_net_peer *peer)
{
	struct sockaddr_in v4 = {.sin_family = AF_INET};
	struct sockaddr_in6 v6 = {.sin6_family = AF_INET6};
	bool ipv4 = peer->high == 0 && peer->low >> 32 == MAPPED >> 32;
	socklen_t size = ipv4 ? sizeof(v4) : sizeof(v6);

	if (address == NULL || length == NULL) {
		return;
	}
	v4.sin_port = v6.sin6_port = htons((uint16_t)peer->port);
	v4.sin_addr.s_addr = htonl((uint32_t)peer->low);
	split(&v6.sin6_addr.s6_addr[0], peer->high);
	split(&v6.sin6_addr.s6_addr[8], peer->low);
	memcpy(address, ipv4 ? (const void *)&v4 : (const void *)&v6,
	       *length < size ? *length : size);
	*length = size;
}

int socket(int family, int type, int protocol)
{
	bool stream = type == SOCK_STREAM;

	if ((family != AF_INET && family != AF_INET6) || (!stream && type != SOCK_DGRAM)) {
		return result(-WISP_EINVAL);
	}
	if (protocol == 0 || protocol == (stream ? IPPROTO_TCP : IPPROTO_UDP)) {
		return result(wisp_net_open(stream ? WISP_NET_TCP : WISP_NET_UDP));
	}
	if (protocol == (stream ? IPPROTO_TLS_1_2 : IPPROTO_DTLS_1_2)) {
		return result(wisp_net_open(stream ? WISP_NET_TLS : WISP_NET_DTLS));
	}
	return result(-WISP_EINVAL);
}

int bind(int socket, const struct sockaddr *address, socklen_t length)
{
	struct peer peer;

	return read_address(&peer, address, length) ? result(wisp_net_bind(socket, peer.port)) : -1;
}

int listen(int socket, int backlog)
{
	(void)backlog;
	return result(wisp_net_ready(socket)) < 0 ? -1 : 0;
}

int connect(int socket, const struct sockaddr *address, socklen_t length)
{
	struct peer peer;

	if (!read_address(&peer, address, length)) {
		return -1;
	}
	return result(wisp_net_connect(socket, peer.high, peer.low, peer.port, WISP_NET_FOREVER));
}

int accept(int socket, struct sockaddr *address, socklen_t *length)
{
	struct wisp_net_peer peer;
	int32_t accepted = result(wisp_net_accept(socket, WISP_NET_FOREVER, &peer));

	if (accepted >= 0) {
		write_address(address, length, &peer);
	}
	return accepted;
}

ssize_t send(int socket, const void *bytes, size_t size, int flags)
{
	return waited(wisp_net_send(socket, bytes, size, timeout(flags)), flags);
}

ssize_t recv(int socket, void *buffer, size_t size, int flags)
{
	return waited(wisp_net_receive(socket, buffer, size, timeout(flags)), flags);
}

ssize_t sendto(int socket, const void *bytes, size_t size, int flags,
	       const struct sockaddr *address, socklen_t length)
{
	struct peer peer;

	if (address == NULL) {
		return send(socket, bytes, size, flags);
	}
	if (!read_address(&peer, address, length)) {
		return -1;
	}
	return waited(wisp_net_send_to(socket, bytes, size, peer.high, peer.low, peer.port,
				       timeout(flags)),
		      flags) < 0
		       ? -1
		       : (ssize_t)size;
}

ssize_t recvfrom(int socket, void *buffer, size_t size, int flags, struct sockaddr *address,
		 socklen_t *length)
{
	struct wisp_net_peer peer;
	int32_t count =
		waited(wisp_net_receive_from(socket, buffer, size, timeout(flags), &peer), flags);

	if (count >= 0) {
		write_address(address, length, &peer);
	}
	return count;
}

int shutdown(int socket, int how)
{
	return result(how == SHUT_WR ? wisp_net_shutdown(socket) : -WISP_EINVAL);
}

int close(int socket)
{
	return result(wisp_net_close(socket));
}

int inet_pton(int family, const char *text, void *address)
{
	struct wisp_net_address found = {0, 0};
	int32_t code = wisp_net_resolve(text, strlen(text), WISP_NET_FOREVER, &found);
	bool ipv4 = found.high == 0 && found.low >> 32 == MAPPED >> 32;

	if (code == -WISP_EINVAL || code == -WISP_ENOENT) {
		return 0;
	}
	if (code < 0) {
		return result(code);
	}
	if (family == AF_INET && ipv4) {
		((struct in_addr *)address)->s_addr = htonl((uint32_t)found.low);
		return 1;
	}
	if (family == AF_INET6 && !ipv4) {
		split(&((struct in6_addr *)address)->s6_addr[0], found.high);
		split(&((struct in6_addr *)address)->s6_addr[8], found.low);
		return 1;
	}
	return 0;
}
