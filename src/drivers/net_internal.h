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

/* Makes the thread of the network look at all sockets again. */
void wisp_net_wake(void);

/* What a call waits for. */
enum wisp_net_wait {
	/* Something for a listener, a socket for datagrams or a lookup, of which the thread tells.
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

/* Returns true for a connection of TCP. */
bool wisp_net_is_stream(const struct wisp_net_socket *socket);

/* Returns the readiness as the thread has noted it, and 0 for a connection, which is not noted. */
uint32_t wisp_net_noted(const struct wisp_net_socket *socket);

/* Translates what poll() returned for a connection to its readiness. */
uint32_t wisp_net_stream_ready(const struct wisp_net_socket *socket, int revents);

/* Raises an event if readiness is watched that was not reported. */
void wisp_net_tell(const struct wisp_app *app, struct wisp_net_socket *socket, uint32_t readiness);

/* Calls off a lookup and forgets the addresses of names. */
void wisp_net_forget(struct wisp_net *net);

#endif /* WISP_DRIVERS_NET_INTERNAL_H_ */
