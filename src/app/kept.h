/* SPDX-License-Identifier: Apache-2.0 */

/* What the firmware keeps of an app that trapped, until a workstation reads it. */

#ifndef WISP_APP_KEPT_H_
#define WISP_APP_KEPT_H_

#include <stddef.h>
#include <stdint.h>

#include <wisp/wisp.h>

/* A part of what is kept. */
struct wisp_kept {
	/* Bytes of all of it, 0 if there is none. */
	size_t length;
	/* Changes when it is replaced, so that parts of two are not joined. */
	uint32_t generation;
	/* Bytes of this part. */
	size_t count;
};

/* The generation of a recording that goes on, and cannot be read yet. */
#define WISP_KEPT_RUNNING UINT32_MAX

/* Copies a part of the recording of an app. With the last part, it may be replaced. */
void wisp_kept_record(const struct wisp_app *app, size_t offset, uint8_t *bytes, size_t size,
		      struct wisp_kept *kept);

/* Copies a part of the core dump of an app. */
void wisp_kept_core(const struct wisp_app *app, size_t offset, uint8_t *bytes, size_t size,
		    struct wisp_kept *kept);

#endif /* WISP_APP_KEPT_H_ */
