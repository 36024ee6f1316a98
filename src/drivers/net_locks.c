/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Locks of the network stack that a fault of an app's thread left locked. Without them, the thread
 * of the network would wait for ever, and with it all apps. The locks of a connection of TCP and
 * those of drivers cannot be reached from here.
 */

#include <zephyr/kernel.h>
#include <zephyr/net/dns_resolve.h>
#include <zephyr/net/net_context.h>
#include <zephyr/net/net_if.h>
#include <zephyr/sys/fdtable.h>
#include <zephyr/sys/util.h>

#include "drivers/net.h"
#include "drivers/net_internal.h"

/* Unlocks a mutex if this thread has it, as often as it was locked. */
static void unlock(struct k_mutex *mutex)
{
	while (mutex->owner == k_current_get()) {
		(void)k_mutex_unlock(mutex);
	}
}

static void unlock_interface(struct net_if *interface, void *unused)
{
	ARG_UNUSED(unused);
	unlock(&interface->tx_lock);
	unlock(&interface->lock);
}

/* The object of a secure socket is not Zephyr's to show, and its lock is that of the descriptor. */
static void unlock_descriptor(int fd, bool secure)
{
	const struct fd_op_vtable *vtable;
	struct k_mutex *lock;
	void *object = (fd < 0) ? NULL : zvfs_get_fd_obj_and_vtable(fd, &vtable, &lock);

	if (object == NULL) {
		return;
	}
#if defined(CONFIG_NET_NATIVE) && !defined(CONFIG_NET_SOCKETS_OFFLOAD)
	/* Offloaded sockets have objects of their drivers instead. */
	if (!secure) {
		unlock(&((struct net_context *)object)->lock);
	}
#else
	ARG_UNUSED(secure);
#endif
	unlock(lock);
}

/* The thread of an app sends the first packet of its lookup. */
static void unlock_resolver(void)
{
#ifdef CONFIG_DNS_RESOLVER
	struct dns_resolve_context *resolver = dns_resolve_get_default();

	ARRAY_FOR_EACH(resolver->servers, i) {
		if (resolver->servers[i].dns_server.sa_family != AF_UNSPEC) {
			unlock_descriptor(resolver->servers[i].sock, false);
		}
	}
	unlock(&resolver->lock);
#endif
}

void wisp_net_unlock(struct wisp_net *net)
{
	net_if_foreach(unlock_interface, NULL);
	unlock_resolver();
	for (uint32_t i = 0; i < net->socket_count; i++) {
		unlock_descriptor(net->sockets[i].fd, net->sockets[i].secure);
	}
}
