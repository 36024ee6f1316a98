/* SPDX-License-Identifier: Apache-2.0 */

/* Grants, traffic and names of the network. */

#include <ctype.h>
#include <errno.h>
#include <string.h>

#include <zephyr/kernel.h>
#include <zephyr/net/dns_resolve.h>
#include <zephyr/sys/util.h>

#include <wisp/wisp.h>

#include "app/grants.h"
#include "app/rate.h"
#include "border/shim.h"
#include "drivers/net.h"
#include "drivers/net_address.h"
#include "drivers/net_internal.h"

const char *wisp_shim_net_endpoint(const struct wisp_app *app, uint32_t index)
{
	const struct wisp_net *net = wisp_net_of(app);

	return (net == NULL || index >= net->endpoint_count) ? NULL : net->endpoints[index];
}

bool wisp_shim_net_resolved(const struct wisp_app *app, uint32_t index, uint8_t *address)
{
	struct wisp_net *net = wisp_net_of(app);
	bool has = false;

	if (net == NULL || index >= net->endpoint_count) {
		return false;
	}
	K_SPINLOCK(&net->lock) {
		has = net->resolved[index][16] != 0;
		memcpy(address, net->resolved[index], 16);
	}
	return has;
}

void wisp_shim_net_set_resolved(const struct wisp_app *app, uint32_t index, const uint8_t *address)
{
	struct wisp_net *net = wisp_net_of(app);

	if (net == NULL || index >= net->endpoint_count) {
		return;
	}
	K_SPINLOCK(&net->lock) {
		memcpy(net->resolved[index], address, 16);
		net->resolved[index][16] = 1;
	}
}

bool wisp_shim_net_has_bytes(const struct wisp_app *app)
{
	struct wisp_net *net = wisp_net_of(app);
	const struct wisp_rate_limit limit = {
		.budget = (net == NULL) ? 0 : net->bytes_per_hour,
		.period_ms = 3600 * MSEC_PER_SEC,
	};

	if (net == NULL || limit.budget == 0) {
		return net != NULL;
	}
	/* A cost of 0 only lets the budget flow back. */
	(void)wisp_rate_take(&net->rate, &limit, k_uptime_get(), 0);
	return net->rate.level < limit.budget;
}

void wisp_shim_net_use_bytes(const struct wisp_app *app, uint32_t bytes)
{
	struct wisp_net *net = wisp_net_of(app);

	if (net != NULL) {
		net->rate.level += MIN(bytes, UINT32_MAX - net->rate.level);
	}
}

#ifdef CONFIG_DNS_RESOLVER

/* Longest time of a lookup, in milliseconds. */
#define LOOKUP_MS 5000

/* Kind of address that is looked up. */
#define QUERY_TYPE (IS_ENABLED(CONFIG_NET_IPV4) ? DNS_QUERY_TYPE_A : DNS_QUERY_TYPE_AAAA)

/* Compares a name with that of the lookup, without regard to case. */
static bool is_for(const struct wisp_net *net, const uint8_t *name, size_t length)
{
	if (strlen(net->name) != length) {
		return false;
	}
	for (size_t i = 0; i < length; i++) {
		if (tolower((unsigned char)net->name[i]) != tolower(name[i])) {
			return false;
		}
	}
	return true;
}

/*
 * Translates the end of a lookup. Zephyr's resolver gives up by calling its own query off. It has
 * one error for a name that does not exist and for a server that does not answer for it.
 */
static enum wisp_net_lookup outcome(enum dns_resolve_status status, bool has_found)
{
	if (has_found) {
		return WISP_NET_LOOKUP_FOUND;
	}
	switch (status) {
	case DNS_EAI_CANCELED:
	case DNS_EAI_MEMORY:
	case DNS_EAI_SYSTEM:
		return WISP_NET_LOOKUP_FAILED;
	default:
		return WISP_NET_LOOKUP_NOTHING;
	}
}

/* Takes an answer of Zephyr's resolver. It is called for each address, and at the end. */
static void answer(enum dns_resolve_status status, struct dns_addrinfo *info, void *parameter)
{
	struct wisp_net *net = parameter;

	K_SPINLOCK(&net->lookup_lock) {
		if (net->lookup != WISP_NET_LOOKUP_RUNS) {
			K_SPINLOCK_BREAK;
		}
		if (status == DNS_EAI_INPROGRESS && info != NULL) {
			struct wisp_net_peer peer;

			if (!net->has_found && wisp_net_peer(&peer, &info->ai_addr)) {
				memcpy(net->found, peer.address, sizeof(net->found));
				net->has_found = true;
			}
			K_SPINLOCK_BREAK;
		}
		net->lookup = outcome(status, net->has_found);
	}
	(void)k_poll_signal_raise(&net->changed, 0);
}

/* Starts a lookup. Returns 0 or an enum wisp_errno. */
static uint32_t start(struct wisp_net *net, const uint8_t *name, size_t length)
{
	int ret;

	if (length > CONFIG_WISP_NET_NAME_SIZE) {
		return WISP_EIO;
	}
	/* Zephyr compares some names, and the names of lookups to call off, in lower case. */
	for (size_t i = 0; i < length; i++) {
		net->name[i] = (char)tolower(name[i]);
	}
	net->name[length] = '\0';
	net->has_found = false;
	net->lookup = WISP_NET_LOOKUP_RUNS;
	ret = dns_get_addr_info(net->name, QUERY_TYPE, &net->lookup_id, answer, net, LOOKUP_MS);
	if (ret == 0) {
		return 0;
	}
	net->lookup = WISP_NET_LOOKUP_NONE;
	/* The resolver has CONFIG_DNS_NUM_CONCUR_QUERIES places for the lookups of all apps. */
	return (ret == -EAGAIN) ? WISP_EBUSY : WISP_EIO;
}

bool wisp_shim_net_looks_up(const struct wisp_app *app, const uint8_t *name, size_t length)
{
	const struct wisp_net *net = wisp_net_of(app);

	return net != NULL && net->lookup != WISP_NET_LOOKUP_NONE && is_for(net, name, length);
}

uint32_t wisp_shim_net_look_up(const struct wisp_app *app, const uint8_t *name, size_t length,
			       uint64_t until_us, uint8_t *address, uint32_t *error)
{
	struct wisp_net *net = wisp_net_of(app);

	*error = 0;
	if (net->lookup == WISP_NET_LOOKUP_RUNS && !is_for(net, name, length)) {
		*error = WISP_EBUSY;
		return WISP_WAIT_EVENT;
	}
	if (net->lookup == WISP_NET_LOOKUP_NONE || !is_for(net, name, length)) {
		*error = start(net, name, length);
		if (*error != 0) {
			return WISP_WAIT_EVENT;
		}
	}
	while (!app->data->stopping) {
		uint8_t state;

		k_poll_signal_reset(&net->changed);
		state = net->lookup;
		if (state != WISP_NET_LOOKUP_RUNS) {
			memcpy(address, net->found, sizeof(net->found));
			*error = (state == WISP_NET_LOOKUP_FOUND)     ? 0
				 : (state == WISP_NET_LOOKUP_NOTHING) ? WISP_ENOENT
								      : WISP_EIO;
			net->lookup = WISP_NET_LOOKUP_NONE;
			return WISP_WAIT_EVENT;
		}
		if (!wisp_net_wait(app, NULL, WISP_NET_WAIT_NEWS, until_us)) {
			return WISP_WAIT_NOTHING;
		}
	}
	return WISP_WAIT_STOP;
}

static void call_off(struct wisp_net *net)
{
	bool runs;

	K_SPINLOCK(&net->lookup_lock) {
		runs = net->lookup == WISP_NET_LOOKUP_RUNS;
		net->lookup = WISP_NET_LOOKUP_NONE;
	}
	if (!runs) {
		return;
	}
	if (net->lookup_id != 0) {
		(void)dns_cancel_addr_info(net->lookup_id);
		return;
	}
	/* Lookups by mDNS all have the number 0, those of other apps included. */
	(void)dns_resolve_cancel_with_name(dns_resolve_get_default(), 0, net->name, QUERY_TYPE);
}

#else

bool wisp_shim_net_looks_up(const struct wisp_app *app, const uint8_t *name, size_t length)
{
	ARG_UNUSED(app);
	ARG_UNUSED(name);
	ARG_UNUSED(length);
	return false;
}

uint32_t wisp_shim_net_look_up(const struct wisp_app *app, const uint8_t *name, size_t length,
			       uint64_t until_us, uint8_t *address, uint32_t *error)
{
	ARG_UNUSED(app);
	ARG_UNUSED(name);
	ARG_UNUSED(length);
	ARG_UNUSED(until_us);
	ARG_UNUSED(address);
	/* The firmware has no resolver: CONFIG_DNS_RESOLVER. */
	*error = WISP_EIO;
	return WISP_WAIT_EVENT;
}

static void call_off(struct wisp_net *net)
{
	ARG_UNUSED(net);
}

#endif /* CONFIG_DNS_RESOLVER */

void wisp_net_forget(struct wisp_net *net)
{
	call_off(net);
	K_SPINLOCK(&net->lock) {
		for (uint32_t i = 0; i < net->endpoint_count; i++) {
			net->resolved[i][16] = 0;
		}
	}
}
