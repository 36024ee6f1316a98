/* SPDX-License-Identifier: Apache-2.0 */

#include <zephyr/random/random.h>

#include "border/errno.h"
#include "border/shim.h"

uint32_t wisp_shim_entropy(uint8_t *buffer, size_t length)
{
/* The generator for tests is there without a driver. */
#if defined(CONFIG_CSPRNG_ENABLED) || defined(CONFIG_TEST_CSPRNG_GENERATOR)
	return wisp_driver_error(sys_csrand_get(buffer, length));
#else
	ARG_UNUSED(buffer);
	ARG_UNUSED(length);
	return WISP_ENOTSUP;
#endif
}
