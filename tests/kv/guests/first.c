/* SPDX-License-Identifier: Apache-2.0 */

#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <wisp.h>

#include "../../peripherals/guests/check.h"

static bool is(const char *key, const char *value)
{
	char buffer[8] = {0};
	int32_t length = wisp_kv_get(key, strlen(key), buffer, sizeof(buffer));

	return length == (int32_t)strlen(value) && memcmp(buffer, value, strlen(value)) == 0;
}

int main(void)
{
	char big[128] = {0};

	if (wisp_kv_set("count", 5, "one", 3) == -WISP_EACCES) {
		return WISP_EACCES;
	}
	EXPECT(is("count", "one"));
	EXPECT(wisp_kv_set("count", 5, "two", 3) == 0);
	EXPECT(is("count", "two"));
	EXPECT(wisp_kv_get("coun", 4, big, 8) == -WISP_ENOENT);
	EXPECT(wisp_kv_get("count2", 6, big, 8) == -WISP_ENOENT);
	EXPECT(wisp_kv_get("count", 5, big, 2) == 3 && big[0] == 't' && big[2] == 0);
	EXPECT(wisp_kv_set("gone", 4, "x", 1) == 0);
	EXPECT(wisp_kv_remove("gone", 4) == 0);
	EXPECT(wisp_kv_remove("gone", 4) == -WISP_ENOENT);
	EXPECT(wisp_kv_get("gone", 4, big, 8) == -WISP_ENOENT);

	/*
	 * 192 bytes in all. An entry takes two records of 8 bytes, the name that begins with
	 * "wisp/logger/", and the value: the first one 36.
	 */
	EXPECT(wisp_kv_set("big", 3, big, 126) == -WISP_ENOSPC);
	EXPECT(wisp_kv_set("big", 3, big, 125) == 0);
	EXPECT(wisp_kv_set("b", 1, big, 1) == -WISP_ENOSPC);
	EXPECT(wisp_kv_set("big", 3, big, 10) == 0);
	EXPECT(wisp_kv_set("b", 1, "1", 1) == 0);

	/* Keys that would leave the app's part of the settings. */
	EXPECT(wisp_kv_set("../x", 4, "1", 1) == -WISP_EINVAL);
	EXPECT(wisp_kv_set("a/b", 3, "1", 1) == -WISP_EINVAL);
	EXPECT(wisp_kv_set("a=b", 3, "1", 1) == -WISP_EINVAL);
	EXPECT(wisp_kv_set("", 0, "1", 1) == -WISP_EINVAL);
	EXPECT(wisp_kv_set("k", 1, NOWHERE, 1) == -WISP_EFAULT);
	EXPECT(wisp_kv_get("count", 5, NOWHERE, 32) == -WISP_EFAULT);
	return 0;
}
