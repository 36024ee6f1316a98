/* SPDX-License-Identifier: Apache-2.0 */

/* TLS and DTLS of apps against servers of the firmware, over the loopback interface. */

#include <string.h>

#include <certificates.h>

#include <zephyr/logging/log_backend.h>
#include <zephyr/logging/log_output.h>
#include <zephyr/net/net_context.h>
#include <zephyr/net/net_pkt.h>
#include <zephyr/net/tls_credentials.h>
#include <zephyr/sys/clock.h>
#include <zephyr/sys/fdtable.h>

#include "app/grants.h"
#include "border/shim.h"
#include "drivers/net.h"
#include "../../net/src/peers.h"

/* Tags of the servers' credentials. Apps have 7 and 8. */
enum {
	HOST = 100,
	ADDRESS,
	EXPIRED,
};

/* What the log has said since the last test began. */
static char said[2048];
static size_t said_length;
static uint8_t log_buffer[1];

static int keep(uint8_t *data, size_t length, void *context)
{
	ARG_UNUSED(context);
	for (size_t i = 0; i < length && said_length < sizeof(said) - 1; i++) {
		said[said_length++] = (char)data[i];
	}
	return (int)length;
}

LOG_OUTPUT_DEFINE(kept, keep, log_buffer, sizeof(log_buffer));

static void process(const struct log_backend *const backend, union log_msg_generic *message)
{
	ARG_UNUSED(backend);
	log_output_msg_process(&kept, &message->log, 0);
}

static void panic(const struct log_backend *const backend)
{
	ARG_UNUSED(backend);
}

static const struct log_backend_api keeper_api = {.process = process, .panic = panic};

LOG_BACKEND_DEFINE(keeper, keeper_api, true);

/* Waits until the log has said something. */
static void wait_for(const char *text)
{
	while (strstr(said, text) == NULL) {
		k_msleep(1);
	}
}

static void add(sec_tag_t tag, enum tls_credential_type type, const void *bytes, size_t length)
{
	zassert_ok(tls_credential_add(tag, type, bytes, length));
}

static void *set_up(void)
{
	add(7, TLS_CREDENTIAL_CA_CERTIFICATE, ca, sizeof(ca));
	add(8, TLS_CREDENTIAL_CA_CERTIFICATE, other_ca, sizeof(other_ca));
	add(HOST, TLS_CREDENTIAL_PUBLIC_CERTIFICATE, host, sizeof(host));
	add(HOST, TLS_CREDENTIAL_PRIVATE_KEY, host_key, sizeof(host_key));
	add(ADDRESS, TLS_CREDENTIAL_PUBLIC_CERTIFICATE, address, sizeof(address));
	add(ADDRESS, TLS_CREDENTIAL_PRIVATE_KEY, address_key, sizeof(address_key));
	add(EXPIRED, TLS_CREDENTIAL_PUBLIC_CERTIFICATE, expired, sizeof(expired));
	add(EXPIRED, TLS_CREDENTIAL_PRIVATE_KEY, expired_key, sizeof(expired_key));
	return NULL;
}

static void before_each(void *fixture)
{
	/* In 2026. The certificates are valid from 2020 to 2049, and one until 2021. */
	const struct timespec now = {.tv_sec = 1790000000};

	zassert_ok(sys_clock_settime(SYS_CLOCK_REALTIME, &now));
	note_resources(fixture);
	said_length = 0;
	memset(said, 0, sizeof(said));
}

ZTEST_SUITE(net_tls, NULL, set_up, before_each, check_resources, NULL);

/* Starts an app whose names have the address of the firmware. */
static void start_named(const struct wisp_app *app, const char *image)
{
	const uint8_t here[16] = {[10] = 0xff, 0xff, 127, 0, 0, 1};

	for (uint32_t i = 0; i < app->grants->net->endpoint_count; i++) {
		wisp_shim_net_set_resolved(app, i, here);
	}
	start(app, image);
}

/* Makes a listener with a credential. */
static int listener(uint16_t port, sec_tag_t tag)
{
	const struct sockaddr_in here = local(port);
	int socket = zsock_socket(AF_INET, SOCK_STREAM, IPPROTO_TLS_1_2);

	zassert_true(socket >= 0, "socket: %d", errno);
	zassert_ok(zsock_setsockopt(socket, SOL_TLS, TLS_SEC_TAG_LIST, &tag, sizeof(tag)));
	zassert_ok(zsock_bind(socket, (const struct sockaddr *)&here, sizeof(here)));
	zassert_ok(zsock_listen(socket, 2));
	return socket;
}

/* Answers one connection. */
static void answer(int server)
{
	char bytes[16];
	int connection = zsock_accept(server, NULL, NULL);

	zassert_true(connection >= 0, "accept: %d", errno);
	zassert_equal(zsock_recv(connection, bytes, sizeof(bytes), 0), 4);
	zassert_mem_equal(bytes, "ping", 4);
	zassert_equal(zsock_send(connection, "pong", 4, 0), 4);
	zassert_ok(zsock_close(connection));
}

ZTEST(net_tls, test_an_app_has_a_stream_with_a_peer_that_proves_its_name_or_address)
{
	int by_name = listener(8443, HOST);
	int by_address = listener(8444, ADDRESS);

	start_named(APP(secure), "agrees");
	answer(by_name);
	answer(by_address);
	finish(APP(secure), WISP_APP_EXITED);
	zassert_ok(zsock_close(by_name));
	zassert_ok(zsock_close(by_address));
}

ZTEST(net_tls, test_a_peer_without_a_proof_is_refused_and_the_log_says_why)
{
	int servers[] = {listener(8445, HOST), listener(8446, EXPIRED), listener(8447, HOST)};

	start_named(APP(secure), "refused");
	for (size_t i = 0; i < ARRAY_SIZE(servers); i++) {
		zassert_true(zsock_accept(servers[i], NULL, NULL) < 0);
	}
	finish(APP(secure), WISP_APP_EXITED);
	wait_for("is for another name");
	wait_for("has expired");
	wait_for("is not of an authority of the credential");
	for (size_t i = 0; i < ARRAY_SIZE(servers); i++) {
		zassert_ok(zsock_close(servers[i]));
	}
}

/* Returns true if the peer has not ended the connection. Takes what it has sent. */
static bool is_open(int connection)
{
	uint8_t bytes[256];
	ssize_t got;

	do {
		got = zsock_recv(connection, bytes, sizeof(bytes), ZSOCK_MSG_DONTWAIT);
	} while (got > 0);
	return got < 0 && errno == EAGAIN;
}

ZTEST(net_tls, test_a_stop_ends_a_handshake_and_another_app_has_its_turn)
{
	int silent = make(true, 8449);
	int by_address = listener(8444, ADDRESS);
	int connections[2];

	start_named(APP(secure), "waits");
	connections[0] = zsock_accept(silent, NULL, NULL);
	connections[1] = zsock_accept(silent, NULL, NULL);
	/* Both threads of handshakes are taken. The app ends at once all the same. */
	stop(APP(secure));
	/* The stop did not wait for them. */
	zassert_true(is_open(connections[0]) && is_open(connections[1]));
	start(APP(other), "much");
	/* The peer ends, and with it the attempts. */
	zassert_ok(zsock_close(connections[0]));
	zassert_ok(zsock_close(connections[1]));
	connections[0] = zsock_accept(by_address, NULL, NULL);
	zassert_true(connections[0] >= 0);
	stop(APP(other));
	zassert_ok(zsock_close(connections[0]));
	zassert_ok(zsock_close(by_address));
	zassert_ok(zsock_close(silent));
}

ZTEST(net_tls, test_what_has_no_room_is_sent_once_and_in_order)
{
	static uint8_t bytes[600];
	int server = listener(8444, ADDRESS);
	int connection;
	uint32_t at = 0;

	start_named(APP(secure), "much");
	connection = zsock_accept(server, NULL, NULL);
	zassert_true(connection >= 0);
	wait_for("full");
	while (at < 40000) {
		ssize_t length = zsock_recv(connection, bytes, sizeof(bytes), 0);

		zassert_true(length > 0, "%d at %u", errno, at);
		for (ssize_t i = 0; i < length; i++, at++) {
			zassert_equal(bytes[i], at * 7 % 251, "at %u", at);
		}
	}
	zassert_equal(zsock_send(connection, "x", 1, 0), 1);
	finish(APP(secure), WISP_APP_EXITED);
	zassert_ok(zsock_close(connection));
	zassert_ok(zsock_close(server));
}

ZTEST(net_tls, test_a_moment_without_packets_does_not_end_a_connection)
{
	struct net_pkt *taken[CONFIG_NET_PKT_TX_COUNT];
	int server = listener(8444, ADDRESS);
	size_t count = 0;
	char bytes[8];
	ssize_t length;
	int connection;

	start_named(APP(secure), "scarce");
	connection = zsock_accept(server, NULL, NULL);
	zassert_true(connection >= 0);
	wait_for("ready");
	while (count < ARRAY_SIZE(taken)) {
		taken[count] = net_pkt_alloc(K_NO_WAIT);
		if (taken[count] == NULL) {
			break;
		}
		count++;
	}
	wait_for("scarce");
	while (count > 0) {
		net_pkt_unref(taken[--count]);
	}
	/* Each record has one send. */
	do {
		length = zsock_recv(connection, bytes, sizeof(bytes), 0);
	} while (length == 1);
	zassert_equal(length, 4);
	zassert_mem_equal(bytes, "room", 4);
	finish(APP(secure), WISP_APP_EXITED);
	zassert_ok(zsock_close(connection));
	zassert_ok(zsock_close(server));
}

ZTEST(net_tls, test_a_close_waits_for_room_for_what_was_taken)
{
	static uint8_t bytes[600];
	int server = listener(8444, ADDRESS);
	uint32_t received = 0;
	uint32_t taken = 0;
	int connection;
	ssize_t length;

	start_named(APP(secure), "closes");
	connection = zsock_accept(server, NULL, NULL);
	zassert_true(connection >= 0);
	wait_for("full");
	while ((length = zsock_recv(connection, bytes, sizeof(bytes), 0)) > 0) {
		received += (uint32_t)length;
	}
	zassert_ok(zsock_close(connection));
	connection = zsock_accept(server, NULL, NULL);
	zassert_true(connection >= 0);
	zassert_equal(zsock_recv(connection, &taken, sizeof(taken), 0), sizeof(taken));
	zassert_equal(received, taken, "%u of %u bytes", received, taken);
	zassert_ok(zsock_close(connection));
	finish(APP(secure), WISP_APP_EXITED);
	zassert_ok(zsock_close(server));
}

/* Locks a mutex for the thread of an app. */
static void lock_for(const struct wisp_app *app, struct k_mutex *mutex)
{
	zassert_ok(k_mutex_lock(mutex, K_FOREVER));
	mutex->owner = &app->data->thread;
	mutex->owner_orig_prio = app->priority;
}

ZTEST(net_tls, test_a_fault_in_tls_leaves_no_lock_of_a_socket)
{
	const struct wisp_app *app = APP(secure);
	const struct fd_op_vtable *vtable;
	struct net_context *context;
	struct wisp_app_status status;
	struct k_mutex *below;
	int server = listener(8444, ADDRESS);
	int connection;
	char byte;

	start_named(app, "scarce");
	connection = zsock_accept(server, NULL, NULL);
	zassert_true(connection >= 0);
	while (app->grants->net->sockets[0].stage != WISP_NET_CONNECTED) {
		k_msleep(1);
	}
	/* A secure socket makes the socket below it when it has its own descriptor. */
	context = zvfs_get_fd_obj_and_vtable(app->grants->net->sockets[0].fd + 1, &vtable, &below);
	zassert_not_null(context);
	lock_for(app, lock_of(app, 0));
	lock_for(app, below);
	lock_for(app, &context->lock);
	/* As Zephyr does when the thread faults. */
	k_thread_abort(&app->data->thread);
	wisp_app_status(app, &status);
	zassert_equal(status.state, WISP_APP_FAILED);
	zassert_true(zsock_recv(connection, &byte, 1, 0) <= 0, "it was closed");
	zassert_ok(wisp_app_join(app, K_SECONDS(60)));
	zassert_ok(zsock_close(connection));
	zassert_ok(zsock_close(server));
}

/* Makes a server of DTLS. */
static int dtls_server(void)
{
	const struct sockaddr_in here = local(8451);
	const sec_tag_t tag = HOST;
	const int role = TLS_DTLS_ROLE_SERVER;
	int server = zsock_socket(AF_INET, SOCK_DGRAM, IPPROTO_DTLS_1_2);

	zassert_true(server >= 0);
	zassert_ok(zsock_setsockopt(server, SOL_TLS, TLS_SEC_TAG_LIST, &tag, sizeof(tag)));
	zassert_ok(zsock_setsockopt(server, SOL_TLS, TLS_DTLS_ROLE, &role, sizeof(role)));
	zassert_ok(zsock_bind(server, (const struct sockaddr *)&here, sizeof(here)));
	return server;
}

ZTEST(net_tls, test_datagrams_are_taken_in_before_the_app_takes_the_result_of_the_handshake)
{
	const struct wisp_net_socket *socket = &APP(secure)->grants->net->sockets[0];
	int server = dtls_server();

	start_named(APP(secure), "early");
	while (zsock_send(server, "early", 5, 0) != 5) {
		struct zsock_pollfd poll = {.fd = server, .events = ZSOCK_POLLIN};

		/* The handshake is made by this call. */
		(void)zsock_poll(&poll, 1, 10);
	}
	while (ring_buf_is_empty(&socket->queue)) {
		k_msleep(1);
	}
	stop(APP(secure));
	zassert_ok(zsock_close(server));
}

ZTEST(net_tls, test_datagrams_pass_by_dtls_until_the_session_ends)
{
	static uint8_t bytes[1100];
	int server = dtls_server();
	struct sockaddr_in peer;
	socklen_t length = sizeof(peer);

	start_named(APP(secure), "datagrams");
	zassert_equal(
		zsock_recvfrom(server, bytes, sizeof(bytes), 0, (struct sockaddr *)&peer, &length),
		8);
	zassert_mem_equal(bytes, "question", 8);
	zassert_equal(zsock_sendto(server, "answer", 6, 0, (struct sockaddr *)&peer, length), 6);
	zassert_equal(zsock_recv(server, bytes, sizeof(bytes), 0), 1024);
	/* The end of the session is its last packet. */
	zassert_ok(zsock_close(server));
	finish(APP(secure), WISP_APP_EXITED);
}
