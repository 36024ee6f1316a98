// SPDX-License-Identifier: Apache-2.0

// The headers are for C++ as well: this defines an app and a host function in C++.

#include <wisp/channel.h>
#include <wisp/host_function.h>
#include <wisp/storage.h>
#include <wisp/trap.h>
#include <wisp/wisp.h>

extern "C" const struct wisp_app *large_app(void);

WISP_APP_DEFINE(large, "large", 32768);

const struct wisp_app *large_app(void)
{
	return &large;
}

static uint32_t twice(struct wisp_caller *, uint32_t *slots, const void *)
{
	slots[0] *= 2;
	return WISP_TRAP_NONE;
}

WISP_HOST_FUNCTION_DEFINE("test", "twice", "(i)i", twice);
