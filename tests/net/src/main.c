/* SPDX-License-Identifier: Apache-2.0 */

/* Sockets of apps against servers and clients of the firmware, over the loopback interface. */

#include <string.h>

#include <zephyr/net/dns_resolve.h>
#include <zephyr/net/net_context.h>
#include <zephyr/net/net_if.h>
#include <zephyr/sys/fdtable.h>

#include "app/grants.h"
#include "drivers/net.h"
#include "drivers/net_address.h"
#include "peers.h"

ZTEST_SUITE(net, NULL, NULL, note_resources, check_resources, NULL);

ZTEST(net, test_an_app_reaches_what_it_was_granted)
{
	int udp = make(false, 5683);
	int stranger = make(false, 5999);
	int tcp = make(true, 8000);
	char bytes[16];
	struct sockaddr_in peer;
	socklen_t length = sizeof(peer);
	int connection;

	start(APP(client), "client");
	zassert_equal(
		zsock_recvfrom(udp, bytes, sizeof(bytes), 0, (struct sockaddr *)&peer, &length), 8);
	zassert_mem_equal(bytes, "question", 8);
	zassert_equal(zsock_sendto(stranger, "lie", 3, 0, (struct sockaddr *)&peer, length), 3);
	zassert_equal(zsock_sendto(udp, "answer", 6, 0, (struct sockaddr *)&peer, length), 6);
	zassert_ok(zsock_close(udp));

	connection = zsock_accept(tcp, NULL, NULL);
	zassert_true(connection >= 0);
	zassert_equal(zsock_recv(connection, bytes, sizeof(bytes), 0), 4);
	zassert_mem_equal(bytes, "ping", 4);
	zassert_equal(zsock_send(connection, "pong", 4, 0), 4);
	zassert_equal(zsock_recv(connection, bytes, sizeof(bytes), 0), 0);
	zassert_ok(zsock_close(connection));
	/* The second connection, for which the app does not wait. */
	connection = zsock_accept(tcp, NULL, NULL);
	zassert_true(connection >= 0);
	zassert_equal(zsock_recv(connection, bytes, sizeof(bytes), 0), 0);
	zassert_ok(zsock_close(connection));
	finish(APP(client), WISP_APP_EXITED);
	zassert_ok(zsock_close(tcp));
	zassert_ok(zsock_close(stranger));
}

ZTEST(net, test_an_app_has_the_calls_of_bsd)
{
	int udp = make(false, 5683);
	int tcp = make(true, 8000);
	char bytes[16];
	struct sockaddr_in peer;
	socklen_t length = sizeof(peer);
	int connection;

	start(APP(client), "bsd");
	zassert_equal(
		zsock_recvfrom(udp, bytes, sizeof(bytes), 0, (struct sockaddr *)&peer, &length), 8);
	zassert_mem_equal(bytes, "question", 8);
	zassert_equal(zsock_sendto(udp, "answer", 6, 0, (struct sockaddr *)&peer, length), 6);
	connection = zsock_accept(tcp, NULL, NULL);
	zassert_true(connection >= 0);
	zassert_equal(zsock_recv(connection, bytes, sizeof(bytes), 0), 4);
	zassert_equal(zsock_send(connection, "pong", 4, 0), 4);
	zassert_ok(zsock_close(connection));
	finish(APP(client), WISP_APP_EXITED);
	zassert_ok(zsock_close(udp));
	zassert_ok(zsock_close(tcp));
}

ZTEST(net, test_an_app_serves_at_the_ports_it_was_granted)
{
	struct sockaddr_in to = local(7000);
	int udp = make(false, 0);
	int strict;
	int tcp;
	char bytes[16];

	start(APP(server), "server");
	/* Port 7002 is bound last, and its connection is closed at once. */
	strict = connected(7002);
	zassert_equal(zsock_sendto(udp, "hello", 5, 0, (struct sockaddr *)&to, sizeof(to)), 5);
	zassert_equal(zsock_recv(udp, bytes, sizeof(bytes), 0), 5);
	tcp = connected(7001);
	zassert_equal(zsock_send(tcp, "world", 5, 0), 5);
	zassert_equal(zsock_recv(tcp, bytes, sizeof(bytes), 0), 5);
	zassert_mem_equal(bytes, "world", 5);
	zassert_true(zsock_recv(strict, bytes, sizeof(bytes), 0) <= 0);
	zassert_ok(zsock_close(strict));
	zassert_ok(zsock_close(tcp));
	zassert_ok(zsock_close(udp));
	finish(APP(server), WISP_APP_EXITED);
}

/*
 * Accepts the connection of the app's first socket. On the loopback interface, Zephyr swaps the
 * addresses of a packet. So the attempt to reach an address where nobody is may arrive as well.
 */
static int accept_first(int tcp)
{
	while (true) {
		struct sockaddr_in peer;
		socklen_t length = sizeof(peer);
		int connection = zsock_accept(tcp, (struct sockaddr *)&peer, &length);

		if (connection < 0 || peer.sin_addr.s_addr == local(0).sin_addr.s_addr) {
			return connection;
		}
		(void)zsock_close(connection);
	}
}

/* Ends the run that waits with three sockets, in one of the ways in which a run can end. */
static void end_run(int way)
{
	struct wisp_app_status status;

	if (way == 0) {
		finish(APP(client), WISP_APP_TRAPPED);
	} else if (way == 1) {
		stop(APP(client));
	} else {
		/* As Zephyr does when the thread faults. */
		k_thread_abort(&APP(client)->data->thread);
		wisp_app_status(APP(client), &status);
		zassert_equal(status.state, WISP_APP_FAILED);
		zassert_equal(status.error, -EFAULT);
	}
}

/* The network stack has room for the sockets of one run and of the firmware, not for those of two.
 */
ZTEST(net, test_no_end_of_an_app_leaves_a_socket)
{
	int tcp = make(true, 8000);

	for (int i = 0; i < 15; i++) {
		int connection;
		char byte;

		start(APP(client), (i % 3 == 0) ? "crashes" : "stays");
		connection = accept_first(tcp);
		zassert_true(connection >= 0, "round %d: %d", i, errno);
		end_run(i % 3);
		zassert_true(zsock_recv(connection, &byte, 1, 0) <= 0, "it was closed");
		zassert_ok(zsock_close(connection));
	}
	zassert_ok(wisp_app_join(APP(client), K_SECONDS(60)));
	zassert_ok(zsock_close(tcp));
}

/* Locks a mutex for the thread of an app. */
static void lock_for(const struct wisp_app *app, struct k_mutex *mutex)
{
	zassert_ok(k_mutex_lock(mutex, K_FOREVER));
	mutex->owner = &app->data->thread;
	mutex->owner_orig_prio = app->priority;
}

/* The locks are those that a thread has while it sends. */
ZTEST(net, test_a_fault_in_the_network_stack_leaves_no_lock_of_a_socket)
{
	const struct wisp_app *app = APP(client);
	const struct fd_op_vtable *vtable;
	struct net_context *context;
	int tcp = make(true, 8000);
	int connection;
	char byte;

	start(app, "stays");
	connection = accept_first(tcp);
	zassert_true(connection >= 0);
	/* Socket 0 is the connection, and socket 1 is one for datagrams. */
	context = zvfs_get_fd_obj_and_vtable(app->grants->net->sockets[1].fd, &vtable, NULL);
	zassert_not_null(context);
	lock_for(app, lock_of(app, 0));
	lock_for(app, lock_of(app, 1));
	lock_for(app, &context->lock);
	lock_for(app, &net_if_get_default()->tx_lock);
	lock_for(app, &dns_resolve_get_default()->lock);
	end_run(2);
	zassert_true(zsock_recv(connection, &byte, 1, 0) <= 0, "it was closed");
	zassert_ok(wisp_app_join(app, K_SECONDS(60)));
	zassert_is_null(dns_resolve_get_default()->lock.owner);
	zassert_ok(zsock_close(connection));
	zassert_ok(zsock_close(tcp));
}

ZTEST(net, test_an_address_of_a_family_that_the_firmware_lacks_is_not_written)
{
	const struct wisp_net_peer peer = {.address = {0x20, 1, 13, 0xb8, [15] = 1}, .port = 5683};
	struct {
		struct sockaddr_storage address;
		uint8_t behind[sizeof(struct sockaddr_in6)];
	} place;
	uint8_t untouched[sizeof(place.behind)];

	memset(&place, 0xa5, sizeof(place));
	memset(untouched, 0xa5, sizeof(untouched));
	(void)wisp_net_address(&place.address, &peer);
	zassert_equal(place.address.ss_family, AF_INET6);
	zassert_mem_equal(place.behind, untouched, sizeof(untouched));
}

ZTEST(net, test_an_entry_of_a_family_that_the_firmware_lacks_reaches_nobody)
{
	int udp = make(false, 5683);
	char bytes[8];

	start(APP(client), "ipv6");
	zassert_equal(zsock_recv(udp, bytes, sizeof(bytes), 0), 4);
	zassert_mem_equal(bytes, "four", 4);
	finish(APP(client), WISP_APP_EXITED);
	zassert_ok(zsock_close(udp));
}

ZTEST(net, test_the_traffic_of_an_hour_is_used_up_and_does_not_come_back_with_a_new_run)
{
	struct wisp_app_status status;

	start(APP(limited), "quota");
	finish(APP(limited), WISP_APP_EXITED);
	/* The first datagram of this run is refused, so its count is too low. */
	start(APP(limited), "quota");
	zassert_ok(wisp_app_join(APP(limited), K_SECONDS(60)));
	wisp_app_status(APP(limited), &status);
	zassert_equal(status.state, WISP_APP_EXITED);
	zassert_not_equal(status.exit_status, 0);
}

ZTEST(net, test_an_entry_that_cannot_be_read_is_refused)
{
	struct wisp_app_status status;

	start(APP(malformed), "client");
	zassert_ok(wisp_app_join(APP(malformed), K_SECONDS(60)));
	wisp_app_status(APP(malformed), &status);
	zassert_equal(status.state, WISP_APP_FAILED);
}
