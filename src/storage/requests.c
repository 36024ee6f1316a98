/* SPDX-License-Identifier: Apache-2.0 */

/* Signed management requests: the challenge for the next one, and the check of a request. */

#include <zephyr/logging/log.h>
#include <zephyr/random/random.h>

#include "storage/storage.h"

LOG_MODULE_DECLARE(wisp, CONFIG_WISP_LOG_LEVEL);

/* Used by the app storage's thread only. Each boot has another nonce. */
static struct wisp_request_challenge challenge;
static bool drawn;

/* Draws the nonce at the first request, when the entropy driver is ready. */
static int draw(void)
{
	if (!drawn) {
		int ret = sys_csrand_get(challenge.nonce, sizeof(challenge.nonce));

		if (ret != 0) {
			LOG_ERR("no random numbers for signed requests: error %d", ret);
			return WISP_STORE_NO_RANDOM;
		}
		drawn = true;
	}
	return 0;
}

static int do_challenge(void *argument)
{
	int ret = draw();

	if (ret == 0) {
		*(struct wisp_request_challenge *)argument = challenge;
	}
	return ret;
}

int wisp_storage_challenge(struct wisp_request_challenge *out)
{
	return wisp_storage_run(do_challenge, out);
}

struct request {
	uint8_t command;
	const uint8_t *payload;
	size_t length;
};

static int do_accept(void *argument)
{
	const struct request *request = argument;
	int ret = draw();

	return ret != 0 ? ret
			: wisp_rust_request_accept(&challenge, wisp_management_keys,
						   wisp_management_key_count, request->command,
						   request->payload, request->length);
}

int wisp_storage_accept(uint8_t command, const uint8_t *payload, size_t length)
{
	struct request request = {.command = command, .payload = payload, .length = length};

	return wisp_storage_run(do_accept, &request);
}
