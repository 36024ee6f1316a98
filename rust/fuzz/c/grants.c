/* SPDX-License-Identifier: Apache-2.0 */

/* The firmware's search of a grant table, for src/grants.rs. */

#include "app/grant_find.h"

int32_t fuzz_grant_find(const void *grants, uint32_t count, size_t size, const uint8_t *label,
			size_t length)
{
	return wisp_grant_find(grants, count, size, label, length);
}
