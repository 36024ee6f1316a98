/* SPDX-License-Identifier: Apache-2.0 */

/* Descriptions of apps for the shell, the management interface and the rollout server's client. */

#ifndef WISP_STORAGE_DESCRIBE_H_
#define WISP_STORAGE_DESCRIBE_H_

#include <wisp/storage.h>
#include <wisp/wisp.h>

/* Largest size of a description in bytes, with its NUL. */
#define WISP_DESCRIPTION_SIZE 112

/* A version as it is written. */
#define VERSION_FORMAT "%u.%u.%u"
#define VERSION(_version)                                                                          \
	(unsigned int)((_version) & 0xff), (unsigned int)(((_version) >> 8) & 0xff),               \
		(unsigned int)((_version) >> 16)

/* Describes the state of an installed app in a few words. */
void wisp_describe(const struct wisp_store_app *stored, char *text, size_t size);

/* Describes how a run ended, or that it is running, in a few words after `prefix`. */
void wisp_describe_status(const struct wisp_app *app, const struct wisp_app_status *status,
			  const char *prefix, char *text, size_t size);

/* Reads the announcement of an image in memory from the image. */
int wisp_describe_image(const uint8_t *image, size_t size, struct wisp_store_upload *upload);

#endif /* WISP_STORAGE_DESCRIBE_H_ */
