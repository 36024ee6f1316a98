/* SPDX-License-Identifier: Apache-2.0 */

/* What shell and management interface tell about apps. */

#ifndef WISP_STORAGE_DESCRIBE_H_
#define WISP_STORAGE_DESCRIBE_H_

#include <wisp/storage.h>
#include <wisp/wisp.h>

/* Bytes that any of the descriptions takes, with its NUL. */
#define WISP_DESCRIPTION_SIZE 112

/* What an app does, in a few words. */
void wisp_describe(const struct wisp_store_app *stored, char *text, size_t size);

/* How a run ended, or that it goes on, in a few words; `prefix` comes first. */
void wisp_describe_status(const struct wisp_app *app, const struct wisp_app_status *status,
			  const char *prefix, char *text, size_t size);

/* What to announce of an image in memory. */
int wisp_describe_image(const uint8_t *image, size_t size, struct wisp_store_upload *upload);

#endif /* WISP_STORAGE_DESCRIBE_H_ */
