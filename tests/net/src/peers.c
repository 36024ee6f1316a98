/* SPDX-License-Identifier: Apache-2.0 */

#include "peers.h"

#include <zephyr/net/net_context.h>
#include <zephyr/net/net_pkt.h>
#include <zephyr/sys/fdtable.h>

#include "app/grants.h"
#include "drivers/net.h"

/* What a test may use up and has to give back. */
struct resources {
	uint32_t contexts;
	uint32_t received;
	uint32_t sent;
};

static struct resources before;

struct sockaddr_in local(uint16_t port)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};

	address.sin_addr.s_addr = htonl(0x7f000001);
	return address;
}

int make(bool tcp, uint16_t port)
{
	struct sockaddr_in address = local(port);
	int socket = tcp ? zsock_socket(AF_INET, SOCK_STREAM, IPPROTO_TCP)
			 : zsock_socket(AF_INET, SOCK_DGRAM, IPPROTO_UDP);

	zassert_true(socket >= 0, "socket: %d", errno);
	if (port != 0) {
		zassert_ok(zsock_bind(socket, (struct sockaddr *)&address, sizeof(address)));
	}
	if (tcp && port != 0) {
		zassert_ok(zsock_listen(socket, 4));
	}
	return socket;
}

int connected(uint16_t port)
{
	struct sockaddr_in address = local(port);

	while (true) {
		int socket = make(true, 0);

		if (zsock_connect(socket, (struct sockaddr *)&address, sizeof(address)) == 0) {
			return socket;
		}
		zassert_ok(zsock_close(socket));
		k_msleep(10);
	}
}

void send_to(int socket, const void *bytes, size_t length, uint16_t port)
{
	struct sockaddr_in to = local(port);

	zassert_equal(zsock_sendto(socket, bytes, length, 0, (struct sockaddr *)&to, sizeof(to)),
		      (ssize_t)length);
}

void start(const struct wisp_app *app, const char *image)
{
	zassert_ok(wisp_app_load_embedded(app, image));
	zassert_ok(wisp_app_start(app));
}

void finish(const struct wisp_app *app, enum wisp_app_state state)
{
	struct wisp_app_status status;

	zassert_ok(wisp_app_join(app, K_SECONDS(60)));
	wisp_app_status(app, &status);
	zassert_equal(status.state, state, "state %d, trap %d, error %d, exit %d", status.state,
		      status.trap, status.error, status.exit_status);
	zassert_true(state != WISP_APP_EXITED || status.exit_status == 0,
		     "the guest's check in line %d failed", status.exit_status);
}

void stop(const struct wisp_app *app)
{
	zassert_ok(wisp_app_stop(app));
	finish(app, WISP_APP_STOPPED);
}

struct k_mutex *lock_of(const struct wisp_app *app, uint32_t socket)
{
	const struct fd_op_vtable *vtable;
	struct k_mutex *lock = NULL;

	(void)zvfs_get_fd_obj_and_vtable(app->grants->net->sockets[socket].fd, &vtable, &lock);
	zassert_not_null(lock);
	return lock;
}

static void count(struct net_context *context, void *number)
{
	ARG_UNUSED(context);
	(*(uint32_t *)number)++;
}

static struct resources in_use(void)
{
	struct resources found = {0};
	struct k_mem_slab *rx;
	struct k_mem_slab *tx;
	struct net_buf_pool *rx_data;
	struct net_buf_pool *tx_data;

	net_context_foreach(count, &found.contexts);
	net_pkt_get_info(&rx, &tx, &rx_data, &tx_data);
	found.received = k_mem_slab_num_used_get(rx);
	found.sent = k_mem_slab_num_used_get(tx);
	return found;
}

void note_resources(void *fixture)
{
	ARG_UNUSED(fixture);
	before = in_use();
}

void check_resources(void *fixture)
{
	struct resources now = in_use();

	ARG_UNUSED(fixture);
	/* The stack ends connections in a thread of its own. */
	for (int i = 0; i < 500 && memcmp(&now, &before, sizeof(now)) != 0; i++) {
		k_msleep(20);
		now = in_use();
	}
	zassert_equal(now.contexts, before.contexts, "%u contexts, %u before", now.contexts,
		      before.contexts);
	zassert_equal(now.received, before.received, "%u packets received, %u before", now.received,
		      before.received);
	zassert_equal(now.sent, before.sent, "%u packets to send, %u before", now.sent,
		      before.sent);
}
