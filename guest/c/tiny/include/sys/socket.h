/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * @brief Calls of BSD over the sockets of wisp:net@1, which an app is granted by net-endpoints.
 *
 * Each call returns -1 and sets errno if it fails. It waits without limit, unless it has the flag
 * MSG_DONTWAIT. A socket that is bound listens, and bind() looks at the port alone: the grant says
 * who may come.
 */
#ifndef WISP_GUEST_SYS_SOCKET_H_
#define WISP_GUEST_SYS_SOCKET_H_

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef uint16_t sa_family_t;
typedef uint32_t socklen_t;
typedef long ssize_t;

struct sockaddr {
	sa_family_t sa_family;
	char sa_data[14];
};

/** Has room for every address. */
struct sockaddr_storage {
	sa_family_t ss_family;
	char ss_data[26];
} __attribute__((aligned(4)));

#define AF_INET     2
#define AF_INET6    10
#define SOCK_STREAM 1
#define SOCK_DGRAM  2

#define IPPROTO_TCP      6
#define IPPROTO_UDP      17
/** A connection by TLS, or datagrams by DTLS: the same as Zephyr's numbers. */
#define IPPROTO_TLS_1_2  258
#define IPPROTO_DTLS_1_2 273

/** Does not wait: fails with EAGAIN instead. */
#define MSG_DONTWAIT 0x40
#define SHUT_WR      1

/** Opens a socket. The family is that of the address which it is connected with or sends to. */
int socket(int family, int type, int protocol);
int bind(int socket, const struct sockaddr *address, socklen_t length);
/** Does nothing, because a socket listens once it is bound. */
int listen(int socket, int backlog);
int connect(int socket, const struct sockaddr *address, socklen_t length);
/** Takes a connection. The address may be NULL. */
int accept(int socket, struct sockaddr *address, socklen_t *length);
ssize_t send(int socket, const void *bytes, size_t size, int flags);
ssize_t recv(int socket, void *buffer, size_t size, int flags);
ssize_t sendto(int socket, const void *bytes, size_t size, int flags,
	       const struct sockaddr *address, socklen_t length);
/** Takes a datagram. The address may be NULL. */
ssize_t recvfrom(int socket, void *buffer, size_t size, int flags, struct sockaddr *address,
		 socklen_t *length);
/** Ends sending. There is no other way than SHUT_WR. */
int shutdown(int socket, int how);
int close(int socket);

#ifdef __cplusplus
}
#endif

#endif /* WISP_GUEST_SYS_SOCKET_H_ */
