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

/* Zephyr's own sockets, which have no public declaration. */
struct socket_op_vtable;
extern const struct socket_op_vtable sock_fd_op_vtable;

/* A secure socket has an object that is not Zephyr's to show, and a socket of Zephyr's below it. */
static void unlock_descriptor(int fd)
{
	const struct fd_op_vtable *vtable;
	struct k_mutex *lock;
	void *object = zvfs_get_fd_obj_and_vtable(fd, &vtable, &lock);

	if (object == NULL) {
		return;
	}
#ifdef CONFIG_NET_NATIVE
	if ((const void *)vtable == (const void *)&sock_fd_op_vtable) {
		unlock(&((struct net_context *)object)->lock);
	}
#endif
	unlock(lock);
}

/* The thread of an app sends the first packet of its lookup. */
static void unlock_resolver(void)
{
#ifdef CONFIG_DNS_RESOLVER
	struct dns_resolve_context *resolver = dns_resolve_get_default();

	unlock(&resolver->lock);
#endif
}

void wisp_net_unlock(void)
{
	net_if_foreach(unlock_interface, NULL);
	unlock_resolver();
	for (int fd = 0; fd < ZVFS_OPEN_SIZE; fd++) {
		unlock_descriptor(fd);
	}
}
