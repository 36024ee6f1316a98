/* SPDX-License-Identifier: Apache-2.0 */

#include <zephyr/kernel.h>
#include <zephyr/logging/log.h>

#include "shim.h"

LOG_MODULE_REGISTER(wisp, CONFIG_WISP_LOG_LEVEL);

FUNC_NORETURN void wisp_shim_panic(const char *file, size_t length, uint32_t line)
{
	LOG_ERR("panic at %.*s:%u", (int)length, file, line);
	k_panic();
	CODE_UNREACHABLE;
}
