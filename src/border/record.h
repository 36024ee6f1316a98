/* SPDX-License-Identifier: Apache-2.0 */

/* Part of shim.h: the ring in which the firmware keeps what comes into an app. */

#ifndef WISP_BORDER_RECORD_H_
#define WISP_BORDER_RECORD_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct wisp_app;

/*
 * Begins the recording of a run. Returns false if the app's node has no record-interfaces, another
 * app is recorded, or a recording that ended with a trap was not fetched yet.
 */
bool wisp_shim_record_begin(const struct wisp_app *app);

/* Returns true if the app's node lists the interface, whose name need not end with NUL. */
bool wisp_shim_record_wants(const struct wisp_app *app, const uint8_t *name, size_t length);

/*
 * Makes room for an item of this many bytes, with its length in front, and forgets the oldest items
 * for it. Returns false if the ring is too small: then the item is lost.
 */
bool wisp_shim_record_reserve(size_t length);

/* Adds bytes of the item. */
void wisp_shim_record_put(const uint8_t *bytes, size_t length);

/*
 * Ends the recording. Its first part has WISP_RECORD_HEAD bytes, in which the number of lost items
 * is written. With keep, it stays until a workstation has fetched it.
 */
void wisp_shim_record_end(const uint8_t *head, bool keep);

#define WISP_RECORD_HEAD 40
/* Offset of the number of lost items. */
#define WISP_RECORD_LOST 32

#endif /* WISP_BORDER_RECORD_H_ */
