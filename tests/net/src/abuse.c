/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Apps and peers that take what they can get. A second app answers datagrams meanwhile, and the
 * firmware has its sockets and packets back in the end.
 */

#include <string.h>

#include <zephyr/net/net_pkt.h>
#include <zephyr/random/random.h>

#include "app/grants.h"
#include "drivers/net.h"

#include "peers.h"

/* Socket that asks the second app. */
static int asking;

static void before(void *fixture)
{
	note_resources(fixture);
	asking = make(false, 0);
	start(APP(other), "echo");
}

static void after(void *fixture)
{
	stop(APP(other));
	zassert_ok(zsock_close(asking));
	check_resources(fixture);
}

ZTEST_SUITE(net_abuse, NULL, NULL, before, after, NULL);

/* The second app answers this many questions. */
static void ask(int times)
{
	struct zsock_pollfd poll = {.fd = asking, .events = ZSOCK_POLLIN};
	uint32_t answer;

	for (int i = 0; i < times; i++) {
		uint32_t question = sys_rand32_get();

		/* It may not have bound its port yet, and datagrams may be lost. */
		do {
			send_to(asking, &question, sizeof(question), 7010);
		} while (zsock_poll(&poll, 1, 200) == 0);
		zassert_equal(zsock_recv(asking, &answer, sizeof(answer), 0), sizeof(answer));
		zassert_equal(answer, question);
		while (zsock_recv(asking, &answer, sizeof(answer), ZSOCK_MSG_DONTWAIT) > 0) {
		}
	}
}

/* Floods an app that does not read, which may have a failure of its socket to read as well. */
static void flood(bool failed)
{
	int udp = make(false, 0);
	int tcp;
	char bytes[76] = {0};

	start(APP(server), "sleeper");
	/* Port 7001 is bound after port 7000. */
	tcp = connected(7001);
	APP(server)->grants->net->sockets[0].failed = failed;
	ask(1);
	for (int i = 0; i < 20; i++) {
		for (int j = 0; j < 10; j++) {
			send_to(udp, bytes, sizeof(bytes), 7000);
			/* The loopback interface has few packets. */
			k_msleep(1);
		}
		ask(1);
	}
	zassert_equal(zsock_send(tcp, "x", 1, 0), 1);
	finish(APP(server), WISP_APP_EXITED);
	zassert_ok(zsock_close(tcp));
	zassert_ok(zsock_close(udp));
}

ZTEST(net_abuse, test_a_flood_is_dropped_and_other_apps_have_their_datagrams)
{
	flood(false);
}

ZTEST(net_abuse, test_a_flood_is_dropped_behind_a_failure_that_was_not_read)
{
	flood(true);
}

/* The thread of the network needs the lock of each socket. */
ZTEST(net_abuse, test_an_app_that_waits_for_a_packet_locks_nobody_out)
{
	struct net_pkt *taken[CONFIG_NET_PKT_TX_COUNT];
	const struct wisp_net *net = APP(client)->grants->net;
	int udp = make(false, 5683);
	size_t count = 0;
	char bytes[8];

	while (count < ARRAY_SIZE(taken)) {
		taken[count] = net_pkt_alloc(K_NO_WAIT);
		if (taken[count] == NULL) {
			break;
		}
		count++;
	}
	start(APP(client), "full");
	while (net->sockets[0].fd < 0) {
		k_msleep(1);
	}
	for (int i = 0; i < 20; i++) {
		k_msleep(5);
		zassert_not_equal(lock_of(APP(client), 0)->owner, &APP(client)->data->thread);
	}
	while (count > 0) {
		net_pkt_unref(taken[--count]);
	}
	zassert_equal(zsock_recv(udp, bytes, sizeof(bytes), 0), 4);
	zassert_mem_equal(bytes, "room", 4);
	finish(APP(client), WISP_APP_EXITED);
	zassert_ok(zsock_close(udp));
}

ZTEST(net_abuse, test_an_app_that_opens_and_closes_without_end_takes_nothing_from_others)
{
	int tcp = make(true, 8000);

	start(APP(client), "churn");
	ask(50);
	stop(APP(client));
	zassert_ok(zsock_close(tcp));
}

ZTEST(net_abuse, test_a_peer_that_does_not_read_stalls_one_connection)
{
	int udp = make(false, 5683);
	int tcp = make(true, 8000);
	char bytes[256];
	int connection;
	ssize_t length;

	start(APP(client), "slow");
	connection = zsock_accept(tcp, NULL, NULL);
	zassert_true(connection >= 0);
	/* The app says when there is no more room. */
	zassert_equal(zsock_recv(udp, bytes, sizeof(bytes), 0), 4);
	zassert_mem_equal(bytes, "full", 4);
	ask(20);
	do {
		length = zsock_recv(connection, bytes, sizeof(bytes), 0);
		zassert_true(length >= 0);
	} while (length > 0);
	finish(APP(client), WISP_APP_EXITED);
	zassert_ok(zsock_close(connection));
	zassert_ok(zsock_close(tcp));
	zassert_ok(zsock_close(udp));
}

/* A listener that is not asked holds a bounded number of connections, and gives them back. */
ZTEST(net_abuse, test_connections_that_nobody_accepts_are_bounded)
{
	struct sockaddr_in to = local(7001);
	int sockets[8];
	int open = 0;

	start(APP(server), "listens");
	sockets[0] = connected(7001);
	for (size_t i = 1; i < ARRAY_SIZE(sockets); i++) {
		sockets[i] = make(true, 0);
		(void)zsock_fcntl(sockets[i], ZVFS_F_SETFL, ZVFS_O_NONBLOCK);
		(void)zsock_connect(sockets[i], (struct sockaddr *)&to, sizeof(to));
	}
	ask(20);
	for (size_t i = 0; i < ARRAY_SIZE(sockets); i++) {
		open += zsock_connect(sockets[i], (struct sockaddr *)&to, sizeof(to)) == 0;
	}
	/* Four that the stack holds, and one more once the thread of the network has taken one in.
	 */
	zassert_between_inclusive(open, 4, 5, "%d are open", open);
	stop(APP(server));
	for (size_t i = 0; i < ARRAY_SIZE(sockets); i++) {
		zassert_ok(zsock_close(sockets[i]));
	}
}
