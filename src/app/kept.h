/* SPDX-License-Identifier: Apache-2.0 */

/* The firmware keeps this of an app until a workstation reads it. */

#ifndef WISP_APP_KEPT_H_
#define WISP_APP_KEPT_H_

#include <stddef.h>
#include <stdint.h>

#include <zephyr/sys/util.h>

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

/* The generation of a recording or a profile that goes on, and cannot be read yet. */
#define WISP_KEPT_RUNNING UINT32_MAX

/* Copies a part of the recording of an app. With the last part, it may be replaced. */
void wisp_kept_record(const struct wisp_app *app, size_t offset, uint8_t *bytes, size_t size,
		      struct wisp_kept *kept);

/* Copies a part of the profile of an app. */
void wisp_kept_profile(const struct wisp_app *app, size_t offset, uint8_t *bytes, size_t size,
		       struct wisp_kept *kept);

/* Copies a part of the core dump of an app. */
void wisp_kept_core(const struct wisp_app *app, size_t offset, uint8_t *bytes, size_t size,
		    struct wisp_kept *kept);

/*
 * wisp_record_ended() and wisp_core_ended() are called when a fault has ended a run, the first also
 * when a run has ended otherwise. They forget what was not written to its end. wisp_record_forget()
 * and wisp_core_forget() forget what is kept of an app, but not what it is writing.
 */
#ifdef CONFIG_WISP_RECORD
void wisp_record_ended(const struct wisp_app *app);
void wisp_record_forget(const struct wisp_app *app);
#else
static inline void wisp_record_ended(const struct wisp_app *app)
{
	ARG_UNUSED(app);
}

static inline void wisp_record_forget(const struct wisp_app *app)
{
	ARG_UNUSED(app);
}
#endif /* CONFIG_WISP_RECORD */

#ifdef CONFIG_WISP_CORE_DUMP
void wisp_core_ended(const struct wisp_app *app);
void wisp_core_forget(const struct wisp_app *app);
#else
static inline void wisp_core_ended(const struct wisp_app *app)
{
	ARG_UNUSED(app);
}

static inline void wisp_core_forget(const struct wisp_app *app)
{
	ARG_UNUSED(app);
}
#endif /* CONFIG_WISP_CORE_DUMP */

#endif /* WISP_APP_KEPT_H_ */
