/* SPDX-License-Identifier: Apache-2.0 */

/* Finds a grant by its label. Uses nothing of Zephyr, so that it can be tested on a workstation. */

#ifndef WISP_APP_GRANT_FIND_H_
#define WISP_APP_GRANT_FIND_H_

#include <stddef.h>
#include <stdint.h>
#include <string.h>

/*
 * Returns the index of the grant with this label, or -1. All grants have the same size and begin
 * with their names. The label is not NUL-terminated.
 */
static inline int32_t wisp_grant_find(const void *grants, uint32_t count, size_t size,
				      const uint8_t *label, size_t length)
{
	for (uint32_t i = 0; i < count; i++) {
		const char *name = *(const char *const *)((const uint8_t *)grants + i * size);

		if (strlen(name) == length && memcmp(name, label, length) == 0) {
			return (int32_t)i;
		}
	}
	return -1;
}

#endif /* WISP_APP_GRANT_FIND_H_ */
