/* SPDX-License-Identifier: Apache-2.0 */

/* What the parts of the network's driver have for each other. */

#ifndef WISP_DRIVERS_NET_INTERNAL_H_
#define WISP_DRIVERS_NET_INTERNAL_H_

#include "drivers/net.h"

/* Returns the app's network, or NULL if it was granted no endpoints. */
struct wisp_net *wisp_net_of(const struct wisp_app *app);

/* Returns an open socket, or NULL. */
struct wisp_net_socket *wisp_net_socket(const struct wisp_app *app, uint32_t number);

/* Translates an error number of Zephyr to an enum wisp_errno. */
uint32_t wisp_net_error(int error);

/* Makes the socket of Zephyr, which never blocks. Returns 0 or an enum wisp_errno. */
uint32_t wisp_net_make(struct wisp_net_socket *socket, bool ipv4);

/* Notes that the app has used a socket: what is ready makes the next event. */
void wisp_net_used(const struct wisp_app *app, struct wisp_net_socket *socket);

/*
 * Gives back the locks of the network stack that an earlier thread of this app held in a fault.
 * Called by the thread that has the place of that thread, before it closes sockets.
 */
void wisp_net_unlock(void);

/* Makes the thread of the network look at all sockets again. */
void wisp_net_wake(void);

/* What a call waits for. */
enum wisp_net_wait {
	/*
	 * Something for a listener, a socket for datagrams or a lookup, which the thread reports by
	 * the signal.
	 */
	WISP_NET_WAIT_NEWS,
	/* Readiness of a connection, for which the thread has to look. */
	WISP_NET_WAIT_READABLE = WISP_NET_READABLE,
	WISP_NET_WAIT_WRITABLE = WISP_NET_WRITABLE,
	/* Room in the network stack, which does not say when there is some. */
	WISP_NET_WAIT_ROOM,
};

/*
 * Waits until there may be news. The caller has reset the signal before it looked for a result.
 * Returns false after the timeout. The caller checks whether the app has to stop.
 */
bool wisp_net_wait(const struct wisp_app *app, struct wisp_net_socket *socket,
		   enum wisp_net_wait wait, uint64_t until_us);

/* Has the thread close the descriptors of a socket. */
void wisp_net_retire(struct wisp_net *net, struct wisp_net_socket *socket);

/*
 * Sends what TLS has taken and could not send yet. Called by the thread of the network. Returns
 * false if the network stack has no packet for it.
 */
bool wisp_net_flush(struct wisp_net_socket *socket);

/* Returns true for a connection of TCP. */
bool wisp_net_is_stream(const struct wisp_net_socket *socket);

/* Returns the readiness as the thread has noted it, and 0 for a connection, which is not noted. */
uint32_t wisp_net_noted(const struct wisp_net_socket *socket);

/* Translates what poll() returned for a connection to its readiness. */
uint32_t wisp_net_stream_ready(const struct wisp_net_socket *socket, int revents);

/* Raises an event if readiness is watched that was not reported. */
void wisp_net_tell(const struct wisp_app *app, struct wisp_net_socket *socket, uint32_t readiness);

/*
 * Begins to connect with a handshake, in a thread that is not the app's. Returns 0 or an enum
 * wisp_errno.
 */
uint32_t wisp_net_tls_begin(const struct wisp_app *app, struct wisp_net_socket *socket,
			    const struct wisp_net_peer *peer, const struct wisp_net_proof *proof);

/* Looks whether an attempt with a handshake has ended, with an `error` or success. */
bool wisp_net_tls_has_ended(struct wisp_net_socket *socket, uint32_t *error);

/* Leaves an attempt to its thread, which closes the socket when the attempt has ended. */
void wisp_net_tls_give_up(struct wisp_net_socket *socket);

/* Gives back what an app left of an attempt that it did not begin, because of a fault. */
void wisp_net_tls_release(const struct wisp_app *app);

/* Calls off a lookup and forgets the addresses of names. */
void wisp_net_forget(struct wisp_net *net);

#endif /* WISP_DRIVERS_NET_INTERNAL_H_ */
