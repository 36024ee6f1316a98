/* SPDX-License-Identifier: Apache-2.0 */

/* Sockets of an app. grants.c makes the tables. */

#ifndef WISP_DRIVERS_NET_H_
#define WISP_DRIVERS_NET_H_

#include <zephyr/kernel.h>
#include <zephyr/sys/ring_buffer.h>

#include <wisp/wisp.h>

#include "border/shim.h"

/* Precedes each datagram in the queue of a socket. */
struct wisp_net_record {
	struct wisp_net_peer peer;
	uint16_t length;
};

struct wisp_net_socket {
	/* Descriptor, or -1 before the first use. */
	int fd;
	/* Connection that waits for accept, or -1. */
	int entered;
	struct wisp_net_peer entered_peer;
	struct wisp_net_peer peer;
	struct ring_buf queue;
	uint32_t lost;
	uint16_t local_port;
	/* An enum wisp_net_stage. */
	uint8_t stage;
	bool open;
	bool tcp;
	/* TLS, or DTLS without `tcp`. */
	bool secure;
	bool ipv4;
	bool shut_down;
	/* The network reported an error, which the app has not read. */
	bool failed;
	/* An attempt to connect has ended. The next call of connect takes the result. */
	bool over;
	/* Set by the app, cleared by the thread of the network when it has closed the socket. */
	bool closing;
	/*
	 * The session of DTLS has ended, and the thread of the network closes the descriptor.
	 * Zephyr would begin another session with the next datagram, and wait for it without end.
	 */
	bool ended;
	/* Readiness that is watched, and that an event reported. */
	uint8_t watched;
	uint8_t told;
	/* Readiness that a call of the app waits for. */
	uint8_t wanted;
	/* How an attempt with a handshake has ended: an enum wisp_errno. */
	uint8_t error;
	/* Bytes that TLS has taken and that wait for room in the connection. */
	uint16_t unsent;
};

enum wisp_net_lookup {
	WISP_NET_LOOKUP_NONE,
	WISP_NET_LOOKUP_RUNS,
	WISP_NET_LOOKUP_FOUND,
	/* The name has no address. */
	WISP_NET_LOOKUP_NOTHING,
	WISP_NET_LOOKUP_FAILED,
};

/* The network of an app. */
struct wisp_net {
	const char *const *endpoints;
	/* The address of each entry that is a name, with a flag. */
	uint8_t (*resolved)[17];
	struct wisp_net_socket *sockets;
	uint8_t *queues;
	uint32_t queue_size;
	/* Maximum bytes per hour, 0 for no limit. */
	uint32_t bytes_per_hour;
	uint8_t endpoint_count;
	uint8_t socket_count;
	/* Given when the thread has closed the descriptors of a socket. */
	struct k_sem closed;
	/* Raised when something changed that a call waits for. */
	struct k_poll_signal changed;
	/*
	 * Protects sockets and addresses against the thread of the network. It is no mutex, which
	 * nobody could give back after a fault of the app's thread.
	 */
	struct k_spinlock lock;
	struct wisp_rate rate;
	/* The lookup that runs, of which there is one. */
	struct k_spinlock lookup_lock;
	uint8_t lookup;
	uint8_t found[16];
	uint16_t lookup_id;
	bool has_found;
	char name[CONFIG_WISP_NET_NAME_SIZE + 1];
};

#define WISP_NET_INITIALIZER(_name)                                                                \
	.closed = Z_SEM_INITIALIZER(_name.closed, 0, 1),                                           \
	.changed = K_POLL_SIGNAL_INITIALIZER(_name.changed)

/*
 * Makes what the app's thread waited for as new, after a fault of that thread. Accepts NULL.
 */
void wisp_net_forget_waits(struct wisp_net *net);

#endif /* WISP_DRIVERS_NET_H_ */
