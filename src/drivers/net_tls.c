/* SPDX-License-Identifier: Apache-2.0 */

/*
 * TLS and DTLS for sockets of apps. Zephyr connects and makes the handshake in one call, which
 * waits. Threads of their own make that call, so that an app can be stopped meanwhile, and needs
 * no stack for a handshake. The socket belongs to the attempt until it has succeeded, and to the
 * thread alone once the app has given up.
 */

#include <errno.h>
#include <string.h>

#include <zephyr/kernel.h>
#include <zephyr/logging/log.h>
#include <zephyr/net/socket.h>
#include <zephyr/net/tls_credentials.h>
#include <zephyr/sys/util.h>

#include <mbedtls/x509_crt.h>

#include <wisp/wisp.h>

#include "border/shim.h"
#include "drivers/net.h"
#include "drivers/net_address.h"
#include "drivers/net_internal.h"

LOG_MODULE_DECLARE(wisp, CONFIG_WISP_LOG_LEVEL);

/* Each attempt has one of Zephyr's contexts. */
#define ATTEMPTS CONFIG_NET_SOCKETS_TLS_MAX_CONTEXTS

BUILD_ASSERT(CONFIG_WISP_NET_NAME_SIZE >= INET6_ADDRSTRLEN,
	     "CONFIG_WISP_NET_TLS needs a CONFIG_WISP_NET_NAME_SIZE with room for an address");

enum state {
	FREE,
	/* The thread of the app makes the socket. */
	MADE,
	WAITS,
	RUNS,
};

/* An attempt to connect. */
struct attempt {
	const struct wisp_app *app;
	/* NULL once the app has given up. */
	struct wisp_net_socket *socket;
	struct wisp_net_peer peer;
	/* What is wrong with the peer's certificates, as bits of mbedTLS. */
	uint32_t flags;
	/* Orders the attempts that wait. */
	uint32_t number;
	int fd;
	enum state state;
	/* The thread that runs it. */
	k_tid_t thread;
};

static struct attempt attempts[ATTEMPTS];
static struct attempt *const end = &attempts[ATTEMPTS];
static struct k_spinlock lock;
static K_SEM_DEFINE(waiting, 0, K_SEM_MAX_LIMIT);

/*
 * Takes note of what mbedTLS found wrong with a certificate. Zephyr can call it for as long as the
 * socket is open, and by then the attempt may be that of another app.
 */
static int note(void *parameter, mbedtls_x509_crt *certificate, int depth, uint32_t *flags)
{
	struct attempt *attempt = parameter;

	ARG_UNUSED(certificate);
	ARG_UNUSED(depth);
	if (attempt->state == RUNS && attempt->thread == k_current_get()) {
		attempt->flags |= *flags;
	}
	return 0;
}

/* Reserves an attempt. An app has as many of them as it can have sockets, or NULL is returned. */
static struct attempt *reserve(const struct wisp_app *app)
{
	struct attempt *found = NULL;
	uint32_t own = 0;

	K_SPINLOCK(&lock) {
		for (struct attempt *attempt = attempts; attempt < end; attempt++) {
			if (attempt->state == FREE) {
				found = attempt;
			} else if (attempt->app == app) {
				own++;
			}
		}
		if (found != NULL && own < wisp_net_of(app)->socket_count) {
			*found = (struct attempt){.app = app, .fd = -1, .state = MADE};
		} else {
			found = NULL;
		}
	}
	return found;
}

/* Writes the name that the peer has to prove: that of the entry, or the peer's address. */
static bool write_name(char *name, size_t size, const struct sockaddr_storage *address,
		       const struct wisp_net_proof *proof)
{
	const void *bytes =
		(address->ss_family == AF_INET)
			? (const void *)&((const struct sockaddr_in *)address)->sin_addr
			: (const void *)&((const struct sockaddr_in6 *)address)->sin6_addr;

	if (proof->name == NULL) {
		return zsock_inet_ntop(address->ss_family, bytes, name, size) != NULL;
	}
	if (proof->length >= size) {
		return false;
	}
	memcpy(name, proof->name, proof->length);
	name[proof->length] = '\0';
	return true;
}

/* Makes the socket of an attempt. Returns 0 or an enum wisp_errno. */
static uint32_t make(struct attempt *attempt, bool stream, const struct wisp_net_peer *peer,
		     const struct wisp_net_proof *proof)
{
	char name[CONFIG_WISP_NET_NAME_SIZE + 1];
	const sec_tag_t tag = proof->tag;
	const int verify = TLS_PEER_VERIFY_REQUIRED;
	const struct tls_cert_verify_cb callback = {.cb = note, .ctx = attempt};
	struct sockaddr_storage address;

	(void)wisp_net_address(&address, peer);
	if (!(address.ss_family == AF_INET ? IS_ENABLED(CONFIG_NET_IPV4)
					   : IS_ENABLED(CONFIG_NET_IPV6)) ||
	    !write_name(name, sizeof(name), &address, proof)) {
		return WISP_EIO;
	}
	attempt->peer = *peer;
	attempt->fd = zsock_socket(address.ss_family, stream ? SOCK_STREAM : SOCK_DGRAM,
				   stream ? IPPROTO_TLS_1_2 : IPPROTO_DTLS_1_2);
	if (attempt->fd < 0) {
		return wisp_net_error(errno);
	}
	if (zsock_setsockopt(attempt->fd, SOL_TLS, TLS_SEC_TAG_LIST, &tag, sizeof(tag)) != 0) {
		return (errno == ENOENT) ? WISP_ENOENT : WISP_EIO;
	}
	if (zsock_setsockopt(attempt->fd, SOL_TLS, TLS_PEER_VERIFY, &verify, sizeof(verify)) != 0 ||
	    zsock_setsockopt(attempt->fd, SOL_TLS, TLS_HOSTNAME, name, strlen(name)) != 0) {
		return WISP_EIO;
	}
	/* Without the callback, a certificate is refused as well, but not told from other errors.
	 */
	(void)zsock_setsockopt(attempt->fd, SOL_TLS, TLS_CERT_VERIFY_CALLBACK, &callback,
			       sizeof(callback));
	return 0;
}

/* Gives an attempt back, and closes its socket. */
static void give_back(struct attempt *attempt)
{
	if (attempt->fd >= 0) {
		(void)zsock_close(attempt->fd);
	}
	attempt->state = FREE;
}

uint32_t wisp_net_tls_begin(const struct wisp_app *app, struct wisp_net_socket *socket,
			    const struct wisp_net_peer *peer, const struct wisp_net_proof *proof)
{
	static uint32_t last;
	struct attempt *attempt = reserve(app);
	uint32_t error;

	if (attempt == NULL) {
		return WISP_ENOMEM;
	}
	error = make(attempt, socket->tcp, peer, proof);
	if (error != 0) {
		give_back(attempt);
		return error;
	}
	socket->peer = *peer;
	socket->ipv4 = memcmp(peer->address, wisp_net_mapped, sizeof(wisp_net_mapped)) == 0;
	socket->over = false;
	socket->failed = false;
	socket->ended = false;
	socket->stage = WISP_NET_CONNECTING;
	K_SPINLOCK(&lock) {
		attempt->socket = socket;
		attempt->number = ++last;
		attempt->state = WAITS;
	}
	k_sem_give(&waiting);
	return 0;
}

bool wisp_net_tls_has_ended(struct wisp_net_socket *socket, uint32_t *error)
{
	if (!socket->over) {
		return false;
	}
	*error = socket->error;
	if (socket->error != 0) {
		socket->stage = WISP_NET_OPEN;
		socket->failed = false;
	} else {
		/* A session of DTLS may have failed since, as the app's next call says. */
		socket->stage = WISP_NET_CONNECTED;
	}
	return true;
}

void wisp_net_tls_give_up(struct wisp_net_socket *socket)
{
	struct attempt *unbegun = NULL;

	K_SPINLOCK(&lock) {
		for (struct attempt *attempt = attempts; attempt < end; attempt++) {
			if (attempt->state == FREE || attempt->socket != socket) {
				continue;
			}
			attempt->socket = NULL;
			if (attempt->state == WAITS) {
				/* No thread has it yet. One that was woken for it finds nothing. */
				attempt->state = MADE;
				unbegun = attempt;
			}
		}
	}
	if (unbegun != NULL) {
		give_back(unbegun);
	}
}

void wisp_net_tls_release(const struct wisp_app *app)
{
	/* The app's thread may have faulted while it made a socket. */
	for (struct attempt *attempt = attempts; attempt < end; attempt++) {
		if (attempt->state == MADE && attempt->app == app) {
			attempt->state = WAITS;
			k_sem_give(&waiting);
		}
	}
}

/* Takes the attempt that has waited longest. */
static struct attempt *next(void)
{
	struct attempt *found = NULL;

	K_SPINLOCK(&lock) {
		for (struct attempt *attempt = attempts; attempt < end; attempt++) {
			if (attempt->state == WAITS &&
			    (found == NULL || (int32_t)(attempt->number - found->number) < 0)) {
				found = attempt;
			}
		}
		if (found != NULL) {
			found->thread = k_current_get();
			found->state = RUNS;
		}
	}
	return found;
}

/* Says what is wrong with a certificate. */
static const char *fault(uint32_t flags)
{
	if ((flags & MBEDTLS_X509_BADCERT_NOT_TRUSTED) != 0) {
		return "is not of an authority of the credential";
	}
	if ((flags & MBEDTLS_X509_BADCERT_CN_MISMATCH) != 0) {
		return "is for another name";
	}
	if ((flags & MBEDTLS_X509_BADCERT_EXPIRED) != 0) {
		return "has expired";
	}
	if ((flags & MBEDTLS_X509_BADCERT_FUTURE) != 0) {
		return "is not valid yet, or the clock is not set";
	}
	return "cannot be used";
}

/* Translates the end of an attempt, and logs why it failed. Returns 0 or an enum wisp_errno. */
static uint32_t outcome(const struct attempt *attempt, int error)
{
	const char *name = attempt->app->name;

	if (error == 0) {
		return 0;
	}
	if (attempt->flags != 0) {
		LOG_WRN("%s: TLS refused: the peer's certificate %s (0x%x)", name,
			fault(attempt->flags), attempt->flags);
		return WISP_EPROTO;
	}
	LOG_WRN("%s: TLS failed: error %d", name, error);
	/* A peer that does not continue the handshake is ETIMEDOUT. */
	return wisp_net_error(error);
}

/* Connects, with the handshake. Returns 0 or an error of Zephyr. */
static int shake_hands(const struct attempt *attempt)
{
	struct sockaddr_storage address;
	socklen_t length = wisp_net_address(&address, &attempt->peer);

	if (zsock_connect(attempt->fd, (struct sockaddr *)&address, length) != 0) {
		return errno;
	}
	(void)zsock_fcntl(attempt->fd, ZVFS_F_SETFL, ZVFS_O_NONBLOCK);
	return 0;
}

/* Makes an attempt and hands the result to the app, if the app still waits for it. */
static void try(struct attempt *attempt)
{
	const struct wisp_app *app = attempt->app;
	struct wisp_net_socket *socket = attempt->socket;
	uint32_t error = (socket == NULL) ? 0 : outcome(attempt, shake_hands(attempt));

	K_SPINLOCK(&lock) {
		socket = attempt->socket;
		if (socket == NULL) {
			K_SPINLOCK_BREAK;
		}
		if (error == 0) {
			socket->fd = attempt->fd;
			attempt->fd = -1;
		}
		socket->error = (uint8_t)error;
		socket->failed = error != 0;
		socket->over = true;
		attempt->socket = NULL;
	}
	give_back(attempt);
	if (socket != NULL) {
		wisp_net_tell(app, socket, wisp_net_noted(socket));
		(void)k_poll_signal_raise(&wisp_net_of(app)->changed, 0);
		wisp_net_wake();
	}
}

static void run(void *a, void *b, void *c)
{
	ARG_UNUSED(a);
	ARG_UNUSED(b);
	ARG_UNUSED(c);
	while (true) {
		struct attempt *attempt;

		(void)k_sem_take(&waiting, K_FOREVER);
		attempt = next();
		if (attempt != NULL) {
			try(attempt);
		}
	}
}

static K_THREAD_STACK_ARRAY_DEFINE(stacks, CONFIG_WISP_NET_TLS_THREADS,
				   CONFIG_WISP_NET_TLS_STACK_SIZE);
static struct k_thread threads[CONFIG_WISP_NET_TLS_THREADS];

static int start(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(threads); i++) {
		k_tid_t id = k_thread_create(&threads[i], stacks[i], CONFIG_WISP_NET_TLS_STACK_SIZE,
					     run, NULL, NULL, NULL, CONFIG_WISP_NET_TLS_PRIORITY, 0,
					     K_NO_WAIT);

		(void)k_thread_name_set(id, "wisp_tls");
	}
	return 0;
}

SYS_INIT(start, APPLICATION, CONFIG_APPLICATION_INIT_PRIORITY);
