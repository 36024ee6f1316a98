/* SPDX-License-Identifier: Apache-2.0 */

/* A controller in loopback mode: an app gets what it sends. */

#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <wisp.h>

#include "check.h"

static struct wisp_can_frame frame;
static struct wisp_event_event event;
static const uint8_t data[9] = {1, 2, 3, 4, 5, 6, 7, 8, 9};

static void refused(uint32_t can)
{
	EXPECT(wisp_can_filter(can, 0, 0, 0) == -WISP_EBADF);
	EXPECT(wisp_can_unfilter(can) == -WISP_EBADF);
	EXPECT(wisp_can_receive(can, 0, &frame) == -WISP_EBADF);
	EXPECT(wisp_can_send(can, 0, 0, data, 1, 0) == -WISP_EBADF);
	EXPECT(wisp_can_watch(can, 1) == -WISP_EBADF);
	EXPECT(wisp_can_state(can) == -WISP_EBADF);
	EXPECT(wisp_can_failed(can) == -WISP_EBADF);
	EXPECT(wisp_can_close(can) == -WISP_EBADF);
}

static bool sends(uint32_t bus, uint32_t id, uint32_t flags, uint32_t length)
{
	return wisp_can_send(bus, id, flags, data, length, WISP_CAN_FOREVER) == 0;
}

static bool receives(uint32_t bus, uint32_t id, uint32_t flags, uint32_t length)
{
	return wisp_can_receive(bus, 1000, &frame) == 0 && frame.id == id && frame.flags == flags &&
	       frame.length == length &&
	       ((flags & WISP_CAN_REMOTE) != 0 || memcmp(&frame.data, data, length) == 0);
}

static bool nothing(uint32_t bus)
{
	return wisp_can_receive(bus, 5, &frame) == -WISP_ETIMEDOUT;
}

static void filters(uint32_t bus)
{
	EXPECT(wisp_can_filter(bus, 0x800, 0, 0) == -WISP_EINVAL);
	EXPECT(wisp_can_filter(bus, 0, 0x800, 0) == -WISP_EINVAL);
	EXPECT(wisp_can_filter(bus, 0, 0x20000000, WISP_CAN_EXTENDED) == -WISP_EINVAL);
	EXPECT(wisp_can_filter(bus, 0, 0, WISP_CAN_REMOTE) == -WISP_EINVAL);
	/* Without a filter nothing comes. */
	EXPECT(sends(bus, 0x123, 0, 8));
	EXPECT(nothing(bus));
	EXPECT(wisp_can_filter(bus, 0x120, 0x7f0, 0) == 0);
	EXPECT(sends(bus, 0x12f, 0, 8));
	EXPECT(sends(bus, 0x130, 0, 8));
	EXPECT(sends(bus, 0x120, WISP_CAN_EXTENDED, 8));
	EXPECT(sends(bus, 0x120, 0, 0));
	EXPECT(receives(bus, 0x12f, 0, 8));
	EXPECT(frame.lost == 0);
	EXPECT(receives(bus, 0x120, 0, 0));
	EXPECT(nothing(bus));
	EXPECT(wisp_can_filter(bus, 0x12345678, 0x1fffffff, WISP_CAN_EXTENDED) == 0);
	EXPECT(sends(bus, 0x12345678, WISP_CAN_EXTENDED, 3));
	EXPECT(receives(bus, 0x12345678, WISP_CAN_EXTENDED, 3));
	EXPECT(sends(bus, 0x12345678, WISP_CAN_EXTENDED | WISP_CAN_REMOTE, 5));
	EXPECT(receives(bus, 0x12345678, WISP_CAN_EXTENDED | WISP_CAN_REMOTE, 5));
	/* The app has no more filters. */
	EXPECT(wisp_can_filter(bus, 1, 0x7ff, 0) == 0);
	EXPECT(wisp_can_filter(bus, 2, 0x7ff, 0) == -WISP_ENOSPC);
	EXPECT(wisp_can_unfilter(bus) == 0);
	EXPECT(sends(bus, 0x120, 0, 8));
	EXPECT(nothing(bus));
}

static void sending(uint32_t bus)
{
	EXPECT(wisp_can_send(bus, 0x800, 0, data, 1, 0) == -WISP_EINVAL);
	EXPECT(wisp_can_send(bus, 0x20000000, WISP_CAN_EXTENDED, data, 1, 0) == -WISP_EINVAL);
	EXPECT(wisp_can_send(bus, 1, 4, data, 1, 0) == -WISP_EINVAL);
	EXPECT(wisp_can_send(bus, 1, 0, data, 9, 0) == -WISP_EMSGSIZE);
	EXPECT(wisp_can_send(bus, 1, 0, NOWHERE, 1, 0) == -WISP_EFAULT);
	EXPECT(wisp_can_receive(bus, 0, NOWHERE) == -WISP_EFAULT);
	EXPECT(wisp_can_state(bus) == WISP_CAN_ACTIVE);
	EXPECT(wisp_can_failed(bus) == 0);
}

static void queue(uint32_t bus)
{
	EXPECT(wisp_can_filter(bus, 0, 0, 0) == 0);
	EXPECT(wisp_can_watch(bus, 1) == 0);
	EXPECT(wisp_event_wait(0, &event) == -WISP_ETIMEDOUT);
	EXPECT(sends(bus, 7, 0, 8));
	EXPECT(wisp_event_wait(WISP_EVENT_FOREVER, &event) == 0);
	EXPECT(event.kind == WISP_EVENT_CAN && event.source == bus);
	EXPECT(receives(bus, 7, 0, 8));
	EXPECT(wisp_can_watch(bus, 0) == 0);
	/* The queue holds four. */
	for (uint32_t i = 0; i < 6; i++) {
		EXPECT(sends(bus, i, 0, 8));
	}
	/* The last one may still be under way. */
	EXPECT(wisp_event_wait(20, &event) == -WISP_ETIMEDOUT);
	EXPECT(receives(bus, 0, 0, 8));
	EXPECT(frame.lost == 2);
	for (uint32_t i = 1; i < 4; i++) {
		EXPECT(receives(bus, i, 0, 8));
		EXPECT(frame.lost == 0);
	}
	EXPECT(nothing(bus));
}

int main(void)
{
	int32_t opened = wisp_can_open_str("bus");
	uint32_t bus = (uint32_t)opened;

	EXPECT(opened >= 0);
	EXPECT(wisp_can_open_str("other") == -WISP_EACCES);
	refused(7);
	refused(0xffffffff);
	sending(bus);
	filters(bus);
	queue(bus);
	/* Opened once more, it has no filters. */
	EXPECT(wisp_can_open_str("bus") == opened);
	EXPECT(sends(bus, 1, 0, 8));
	EXPECT(nothing(bus));
	EXPECT(wisp_can_close(bus) == 0);
	refused(bus);
	return 0;
}
