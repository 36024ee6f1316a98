/* SPDX-License-Identifier: Apache-2.0 */

/* Addresses of Zephyr and of wisp:net@1. */

#ifndef WISP_DRIVERS_NET_ADDRESS_H_
#define WISP_DRIVERS_NET_ADDRESS_H_

#include <string.h>

#include <zephyr/net/net_ip.h>
#include <zephyr/net/socket.h>
#include <zephyr/sys/util.h>
#include <zephyr/toolchain.h>

#include "border/shim.h"

/* Precedes the four bytes of an IPv4 address. */
static const uint8_t wisp_net_mapped[12] = {[10] = 0xff, [11] = 0xff};

/* Zephyr's type for all addresses has room only for the families that the firmware has. */
BUILD_ASSERT(sizeof(struct sockaddr_storage) >= sizeof(struct sockaddr_in));
BUILD_ASSERT(!IS_ENABLED(CONFIG_NET_IPV6) ||
	     sizeof(struct sockaddr_storage) >= sizeof(struct sockaddr_in6));

/*
 * Converts a peer to an address of Zephyr, and returns its length. In a firmware without IPv6, an
 * IPv6 peer becomes no more than its family, for which there are no sockets.
 */
static inline socklen_t wisp_net_address(struct sockaddr_storage *address,
					 const struct wisp_net_peer *peer)
{
	struct sockaddr_in *v4 = (struct sockaddr_in *)address;
	struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)address;

	memset(address, 0, sizeof(*address));
	if (memcmp(peer->address, wisp_net_mapped, sizeof(wisp_net_mapped)) == 0) {
		v4->sin_family = AF_INET;
		v4->sin_port = htons(peer->port);
		memcpy(&v4->sin_addr, &peer->address[sizeof(wisp_net_mapped)], 4);
		return sizeof(*v4);
	}
	address->ss_family = AF_INET6;
	if (!IS_ENABLED(CONFIG_NET_IPV6)) {
		return sizeof(*address);
	}
	v6->sin6_port = htons(peer->port);
	memcpy(&v6->sin6_addr, peer->address, sizeof(peer->address));
	return sizeof(*v6);
}

/* Makes the address of no host in particular, and returns its length. */
static inline socklen_t wisp_net_any(struct sockaddr_storage *address, bool ipv4, uint16_t port)
{
	struct wisp_net_peer any = {.port = port};

	if (ipv4) {
		memcpy(any.address, wisp_net_mapped, sizeof(wisp_net_mapped));
	}
	return wisp_net_address(address, &any);
}

/*
 * Converts an address of Zephyr. Returns false for an address of another family, and for an IPv6
 * address that stands for an IPv4 address. No host has such an address, and the entries of that
 * IPv4 address are not meant for it.
 */
static inline bool wisp_net_peer(struct wisp_net_peer *peer, const struct sockaddr *address)
{
	const struct sockaddr_in *v4 = (const struct sockaddr_in *)address;
	const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)address;

	if (address->sa_family == AF_INET) {
		memcpy(peer->address, wisp_net_mapped, sizeof(wisp_net_mapped));
		memcpy(&peer->address[sizeof(wisp_net_mapped)], &v4->sin_addr, 4);
		peer->port = ntohs(v4->sin_port);
		return true;
	}
	if (!IS_ENABLED(CONFIG_NET_IPV6) || address->sa_family != AF_INET6) {
		return false;
	}
	memcpy(peer->address, &v6->sin6_addr, sizeof(peer->address));
	peer->port = ntohs(v6->sin6_port);
	return memcmp(peer->address, wisp_net_mapped, sizeof(wisp_net_mapped)) != 0;
}

#endif /* WISP_DRIVERS_NET_ADDRESS_H_ */
