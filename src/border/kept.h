/* SPDX-License-Identifier: Apache-2.0 */

/* Part of shim.h: RAM in which the firmware keeps what is left of an app that trapped. */

#ifndef WISP_BORDER_KEPT_H_
#define WISP_BORDER_KEPT_H_

#include <stddef.h>
#include <stdint.h>

struct wisp_app;

/*
 * Returns the RAM for the core dump of an app, of CONFIG_WISP_CORE_DUMP_SIZE bytes, or NULL while
 * another app writes one. Nobody reads it before wisp_shim_core_end(), which the same thread calls.
 */
uint8_t *wisp_shim_core_begin(const struct wisp_app *app, size_t *size);

/* Says how many bytes the core dump has. */
void wisp_shim_core_end(size_t length);

#endif /* WISP_BORDER_KEPT_H_ */
