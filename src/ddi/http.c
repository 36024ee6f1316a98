/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Requests of the DDI client, by Zephyr's HTTP client. Each request has a connection of its own.
 * Redirects are not followed: the token must not go where a stranger sends the device.
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <zephyr/kernel.h>
#include <zephyr/net/http/client.h>
#include <zephyr/net/http/parser_url.h>
#include <zephyr/net/http/status.h>
#include <zephyr/net/socket.h>
#include <zephyr/net/tls_credentials.h>
#include <zephyr/sys/printk.h>

#include "ddi/ddi.h"

/* Longest name of a host with its NUL: what the domain name system allows. */
#define HOST_SIZE 256
/* Longest wait that a server may ask for, in seconds. */
#define WAIT_MAX  3600

/* An address in parts. */
struct place {
	bool tls;
	char host[HOST_SIZE];
	uint16_t port;
	/* Path and query, the end of the address. */
	const char *path;
};

/* The request that is being made. */
static struct {
	struct http_request http;
	const struct wisp_ddi_request *asked;
	/* Bytes of the body that were received. `from` may lie behind them. */
	uint32_t at;
	uint16_t status;
	/* Trouble that `take` returned. */
	int trouble;
	/* Why the request was ended, an errno, or 0. */
	int error;
	/* Uptime at which the request ends, in milliseconds. */
	int64_t until;
	bool begun;
	/* The header that comes is Retry-After. */
	bool is_wait;
	uint32_t wait;
	uint8_t buffer[CONFIG_WISP_DDI_BUFFER_SIZE];
	struct place place;
} now;

static bool split(const char *url, struct place *place)
{
	const uint16_t wanted = BIT(UF_SCHEMA) | BIT(UF_HOST);
	const uint16_t refused = BIT(UF_FRAGMENT) | BIT(UF_USERINFO);
	struct http_parser_url parts;
	size_t length = strlen(url);

	/* Nothing that could end a line of the request. */
	for (size_t i = 0; i < length; i++) {
		if (url[i] <= ' ' || url[i] > '~') {
			return false;
		}
	}
	http_parser_url_init(&parts);
	if (http_parser_parse_url(url, length, 0, &parts) != 0 ||
	    (parts.field_set & wanted) != wanted || (parts.field_set & refused) != 0 ||
	    parts.field_data[UF_HOST].len >= sizeof(place->host)) {
		return false;
	}
	length = parts.field_data[UF_SCHEMA].len;
	place->tls = length == 5 && strncasecmp(url, "https", 5) == 0;
	if (!place->tls && (length != 4 || strncasecmp(url, "http", 4) != 0)) {
		return false;
	}
	length = parts.field_data[UF_HOST].len;
	memcpy(place->host, url + parts.field_data[UF_HOST].off, length);
	place->host[length] = '\0';
	place->port = (parts.field_set & BIT(UF_PORT)) != 0 ? parts.port : place->tls ? 443 : 80;
	place->path =
		(parts.field_set & BIT(UF_PATH)) != 0 ? url + parts.field_data[UF_PATH].off : "/";
	return true;
}

/* Returns whether a place is on the server of this device. */
static bool is_own(const struct place *place)
{
	const char *server = wisp_ddi_identity.server;
	struct http_parser_url parts;
	uint16_t port;
	bool tls;

	http_parser_url_init(&parts);
	if (http_parser_parse_url(server, strlen(server), 0, &parts) != 0 ||
	    (parts.field_set & BIT(UF_HOST)) == 0) {
		return false;
	}
	tls = parts.field_data[UF_SCHEMA].len == 5;
	port = (parts.field_set & BIT(UF_PORT)) != 0 ? parts.port : tls ? 443 : 80;
	return tls == place->tls && port == place->port &&
	       parts.field_data[UF_HOST].len == strlen(place->host) &&
	       strncasecmp(server + parts.field_data[UF_HOST].off, place->host,
			   parts.field_data[UF_HOST].len) == 0;
}

bool wisp_ddi_is_own(const char *url)
{
	return split(url, &now.place) && is_own(&now.place);
}

static int set_tls(int sock)
{
#ifdef CONFIG_WISP_DDI_TLS
	const sec_tag_t tags[] = {CONFIG_WISP_DDI_TLS_TAG};
	int verify = TLS_PEER_VERIFY_REQUIRED;

	if (zsock_setsockopt(sock, SOL_TLS, TLS_SEC_TAG_LIST, tags, sizeof(tags)) != 0 ||
	    zsock_setsockopt(sock, SOL_TLS, TLS_PEER_VERIFY, &verify, sizeof(verify)) != 0 ||
	    zsock_setsockopt(sock, SOL_TLS, TLS_HOSTNAME, now.place.host,
			     strlen(now.place.host) + 1) != 0) {
		return -errno;
	}
#else
	ARG_UNUSED(sock);
#endif
	return 0;
}

/* Connects to one address. Returns a socket or a negative errno. */
static int connect_to(const struct zsock_addrinfo *address)
{
	struct zsock_timeval longest = {.tv_sec = CONFIG_WISP_DDI_REQUEST_SECONDS};
	int protocol = IPPROTO_TCP;
	int sock;
	int ret;

#ifdef CONFIG_WISP_DDI_TLS
	if (now.place.tls) {
		protocol = IPPROTO_TLS_1_2;
	}
#endif
	sock = zsock_socket(address->ai_family, SOCK_STREAM, protocol);
	if (sock < 0) {
		return -errno;
	}
	/* Not every network has these. The request has a limit of its own. */
	(void)zsock_setsockopt(sock, SOL_SOCKET, SO_SNDTIMEO, &longest, sizeof(longest));
	(void)zsock_setsockopt(sock, SOL_SOCKET, SO_RCVTIMEO, &longest, sizeof(longest));
	ret = now.place.tls ? set_tls(sock) : 0;
	if (ret == 0 && zsock_connect(sock, address->ai_addr, address->ai_addrlen) != 0) {
		ret = -errno;
	}
	if (ret != 0) {
		(void)zsock_close(sock);
		return ret;
	}
	return sock;
}

static int open_socket(void)
{
	const struct zsock_addrinfo hints = {.ai_socktype = SOCK_STREAM};
	struct zsock_addrinfo *found = NULL;
	char port[6];
	int sock = -EHOSTUNREACH;
	int ret;

	snprintk(port, sizeof(port), "%u", now.place.port);
	ret = zsock_getaddrinfo(now.place.host, port, &hints, &found);
	if (ret != 0 || found == NULL) {
		wisp_ddi_say(0, "%s: its address is not found: error %d", now.place.host, ret);
		return -1;
	}
	for (const struct zsock_addrinfo *address = found; address != NULL && sock < 0;
	     address = address->ai_next) {
		sock = connect_to(address);
	}
	zsock_freeaddrinfo(found);
	if (sock < 0) {
		wisp_ddi_say(0, "%s:%s: no connection%s: error %d", now.place.host, port,
			     now.place.tls ? " by TLS" : "", -sock);
	}
	return sock;
}

/* Finds out which byte of the file is the first of the answer. Returns 0 or a trouble. */
static int find_start(const struct http_parser *parser)
{
	uint64_t start = 0;

	if (now.status == HTTP_206_PARTIAL_CONTENT) {
		/* The HTTP client's own copy is wrong if the header comes in two pieces. */
		if (!parser->content_range_present) {
			return wisp_ddi_say(WISP_DDI_PASSING,
					    "the server answers 206 without Content-Range");
		}
		start = parser->content_range.start;
	}
	if (start != now.asked->from && start != 0) {
		return wisp_ddi_say(
			WISP_DDI_PASSING, "the server sends bytes from %u on, %u was asked for",
			(unsigned int)MIN(start, UINT32_MAX), (unsigned int)now.asked->from);
	}
	now.at = (uint32_t)start;
	return 0;
}

static int on_body(struct http_parser *parser, const char *at, size_t length)
{
	uint32_t skip = 0;

	now.status = parser->status_code;
	if (now.trouble != 0 || now.asked->take == NULL || now.status / 100 != 2) {
		return 0;
	}
	if (!now.begun) {
		now.begun = true;
		now.trouble = find_start(parser);
		if (now.trouble != 0) {
			return 0;
		}
	}
	/* A server that has no ranges begins anew. */
	if (now.at < now.asked->from) {
		skip = MIN(now.asked->from - now.at, length);
	}
	now.at += skip;
	if (length > skip) {
		now.trouble = now.asked->take((const uint8_t *)at + skip, length - skip);
	}
	return 0;
}

static int on_header_field(struct http_parser *parser, const char *at, size_t length)
{
	static const char name[] = "Retry-After";

	ARG_UNUSED(parser);
	now.is_wait = length == sizeof(name) - 1 && strncasecmp(at, name, length) == 0;
	return 0;
}

static int on_header_value(struct http_parser *parser, const char *at, size_t length)
{
	ARG_UNUSED(parser);
	for (size_t i = 0; now.is_wait && i < length && at[i] >= '0' && at[i] <= '9'; i++) {
		now.wait = MIN(now.wait * 10 + (uint32_t)(at[i] - '0'), WAIT_MAX);
	}
	return 0;
}

static int on_headers_complete(struct http_parser *parser)
{
	now.status = parser->status_code;
	return 0;
}

static int on_response(struct http_response *response, enum http_final_call final, void *user)
{
	ARG_UNUSED(user);
	if (final == HTTP_DATA_FINAL) {
		return 0;
	}
	/* The rest is not needed, and may have no end. */
	if (now.trouble != 0 ||
	    (now.status != 0 && (now.asked->take == NULL || now.status / 100 != 2))) {
		return -ECANCELED;
	}
	/* The HTTP client reads from an ended connection until the answer is complete. */
	if (response->data_len == 0) {
		now.error = ECONNRESET;
		return -now.error;
	}
	/* It checks the time only when nothing arrives. */
	if (k_uptime_get() >= now.until) {
		now.error = ETIMEDOUT;
		return -now.error;
	}
	return 0;
}

uint32_t wisp_ddi_asked_wait(void)
{
	return now.wait;
}

/* Makes the request on a socket. Returns what the HTTP client returns. */
static int exchange(int sock, bool own)
{
	static const struct http_parser_settings hooks = {
		.on_body = on_body,
		.on_header_field = on_header_field,
		.on_header_value = on_header_value,
		.on_headers_complete = on_headers_complete,
	};
	const struct wisp_ddi_request *asked = now.asked;
	char token[WISP_DDI_TOKEN_SIZE + 40];
	char range[40];
	char host[HOST_SIZE + 10];
	const char *headers[6];
	size_t count = 0;
	bool literal = strchr(now.place.host, ':') != NULL;

	snprintk(host, sizeof(host), literal ? "[%s]:%u" : "%s:%u", now.place.host, now.place.port);
	headers[count++] = "Connection: close\r\n";
	if (own && wisp_ddi_identity.token[0] != '\0') {
		snprintk(token, sizeof(token), "Authorization: %s %s\r\n",
			 IS_ENABLED(CONFIG_WISP_DDI_GATEWAY_TOKEN) ? "GatewayToken" : "TargetToken",
			 wisp_ddi_identity.token);
		headers[count++] = token;
	}
	if (asked->from > 0) {
		snprintk(range, sizeof(range), "Range: bytes=%u-\r\n", (unsigned int)asked->from);
		headers[count++] = range;
	}
	if (asked->body != NULL) {
		headers[count++] = "Content-Type: application/json\r\n";
	}
	headers[count++] = "Accept: */*\r\n";
	headers[count] = NULL;
	now.http = (struct http_request){
		.method = asked->method,
		.url = now.place.path,
		.host = host,
		.protocol = "HTTP/1.1",
		.header_fields = headers,
		.payload = asked->body,
		.payload_len = asked->body == NULL ? 0 : strlen(asked->body),
		.response = on_response,
		.http_cb = &hooks,
		.recv_buf = now.buffer,
		.recv_buf_len = sizeof(now.buffer),
	};
	return http_client_req(sock, &now.http,
			       CONFIG_WISP_DDI_REQUEST_SECONDS * (int32_t)MSEC_PER_SEC, NULL);
}

/* Returns the trouble that a status of the server is. */
static int judge(uint16_t status)
{
	/* The end of a long path says what the request was for. */
	const char *path = now.place.path;
	size_t length = strcspn(path, "?");
	const char *shown = path + (length > 60 ? length - 60 : 0);
	int width = (int)MIN(length, 60);

	switch (status) {
	case HTTP_401_UNAUTHORIZED:
	case HTTP_403_FORBIDDEN:
		return wisp_ddi_say(WISP_DDI_PASSING,
				    "%.*s: the server answers %u; is the token of this device that "
				    "of the server?",
				    width, shown, status);
	case HTTP_404_NOT_FOUND:
	case HTTP_410_GONE:
		return wisp_ddi_say(WISP_DDI_GONE, "%.*s: the server answers %u", width, shown,
				    status);
	case HTTP_408_REQUEST_TIMEOUT:
	case HTTP_429_TOO_MANY_REQUESTS:
		return wisp_ddi_say(WISP_DDI_PASSING, "%.*s: the server answers %u", width, shown,
				    status);
	default:
		break;
	}
	if (status / 100 == 3) {
		return wisp_ddi_say(WISP_DDI_PASSING,
				    "%.*s: the server answers %u, and redirects are not followed",
				    width, shown, status);
	}
	return wisp_ddi_say(status / 100 == 4 ? WISP_DDI_LASTING : WISP_DDI_PASSING,
			    "%.*s: the server answers %u", width, shown, status);
}

int wisp_ddi_ask(const struct wisp_ddi_request *request)
{
	bool own;
	int sock;
	int ret;

	now.asked = request;
	now.at = 0;
	now.status = 0;
	now.trouble = 0;
	now.error = 0;
	now.begun = false;
	now.is_wait = false;
	now.wait = 0;
	if (!split(request->url, &now.place)) {
		return wisp_ddi_say(WISP_DDI_LASTING, "%.80s: this is no HTTP address",
				    request->url);
	}
	own = is_own(&now.place);
	if (now.place.tls && !IS_ENABLED(CONFIG_WISP_DDI_TLS)) {
		return wisp_ddi_say(WISP_DDI_LASTING,
				    "%.80s: the firmware has no TLS; see CONFIG_WISP_DDI_TLS",
				    request->url);
	}
	if (!now.place.tls && !own && !IS_ENABLED(CONFIG_WISP_DDI_PLAIN_HTTP)) {
		return wisp_ddi_say(WISP_DDI_LASTING,
				    "%.80s: an address elsewhere needs https, or "
				    "CONFIG_WISP_DDI_PLAIN_HTTP",
				    request->url);
	}
	sock = open_socket();
	if (sock < 0) {
		return WISP_DDI_PASSING;
	}
	now.until = k_uptime_get() + CONFIG_WISP_DDI_REQUEST_SECONDS * (int64_t)MSEC_PER_SEC;
	ret = exchange(sock, own);
	(void)zsock_close(sock);
	if (now.trouble != 0) {
		return now.trouble;
	}
	/* The file ends before the byte that was asked for. */
	if (now.status == HTTP_416_RANGE_NOT_SATISFIABLE && request->from > 0) {
		return 0;
	}
	/* The rest of these answers was not read. */
	if (now.status != 0 && now.status / 100 != 2) {
		return judge(now.status);
	}
	if (now.status != 0 && request->take == NULL) {
		return 0;
	}
	if (ret < 0) {
		return wisp_ddi_say(WISP_DDI_PASSING, "%s: the answer broke off: error %d",
				    now.place.host, now.error != 0 ? now.error : -ret);
	}
	if (now.status == 0) {
		return wisp_ddi_say(WISP_DDI_PASSING, "%s: the server does not answer",
				    now.place.host);
	}
	return 0;
}
