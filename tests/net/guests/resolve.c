/* SPDX-License-Identifier: Apache-2.0 */

/* Looks up a granted name, whose server has a different answer each time, and names that are not
 * granted. */

#include <string.h>

#include "local.h"

/* 192.0.2.0 */
#define NET_LOW 0xffffc0000200ull

static struct wisp_net_address found;

static int32_t resolve(const char *name)
{
	return wisp_net_resolve(name, strlen(name), WISP_NET_FOREVER, &found);
}

/* Returns whether the app may send to 192.0.2.`host`. Nobody is there. */
static int may_send(uint32_t host)
{
	return wisp_net_send_to(0, "x", 1, 0, NET_LOW + host, 5683, 0) != -WISP_EACCES;
}

int main(void)
{
	EXPECT(wisp_net_open(WISP_NET_UDP) == 0);
	EXPECT(resolve("other.example") == -WISP_EACCES &&
	       resolve("broker.example.org") == -WISP_EACCES);
	EXPECT(resolve("localhost") == -WISP_EACCES && resolve("127.0.0.2") == -WISP_EACCES);
	EXPECT(resolve("127.0.0.1") == 0 && found.low == LOCAL_LOW);
	EXPECT(resolve("a b") == -WISP_EINVAL);
	EXPECT(!may_send(7));
	EXPECT(resolve("Broker.example") == 0);
	EXPECT(found.high == 0 && found.low == NET_LOW + 7);
	EXPECT(may_send(7) && !may_send(8));
	/* An answer that leads back to the device. */
	EXPECT(resolve("broker.example") == -WISP_EACCES);
	EXPECT(wisp_net_send_to(0, "x", 1, LOCAL_HIGH, LOCAL_LOW + 1, 5683, 0) == -WISP_EACCES);
	EXPECT(may_send(7));
	/* The same, with an entry for this address. */
	EXPECT(resolve("broker.example") == 0 && found.low == LOCAL_LOW);
	/* Another address takes the place of the first. */
	EXPECT(resolve("broker.example") == 0 && found.low == NET_LOW + 9);
	EXPECT(may_send(9) && !may_send(7));
	EXPECT(resolve("broker.example") == -WISP_ENOENT);
	return 0;
}
