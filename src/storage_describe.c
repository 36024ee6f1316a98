/* SPDX-License-Identifier: Apache-2.0 */

/* Apps and images in words and numbers, for shell and management interface. */

#include <errno.h>

#include <zephyr/sys/printk.h>
#include <zephyr/sys/util.h>

#include <wisp/wisp.h>

#include "storage.h"
#include "storage_describe.h"

void wisp_describe_status(const struct wisp_app *app, const struct wisp_app_status *status,
			  const char *prefix, char *text, size_t size)
{
	switch (status->state) {
	case WISP_APP_RUNNING:
		snprintk(text, size, "running");
		break;
	case WISP_APP_TRAPPED:
		if (status->trap == WISP_TRAP_INTERRUPTED) {
			snprintk(text, size, "%sended: no heartbeat in %u ms", prefix,
				 (unsigned int)app->heartbeat_ms);
			break;
		}
		snprintk(text, size, "%strap: %s, in function %u at code offset 0x%x", prefix,
			 wisp_trap_text(status->trap), (unsigned int)status->function,
			 (unsigned int)status->offset);
		break;
	case WISP_APP_EXITED:
		snprintk(text, size, "%sexited with status %d", prefix, status->exit_status);
		break;
	case WISP_APP_FAILED:
		snprintk(text, size, "%s%s: error %d", prefix,
			 status->error == -EFAULT ? "its thread faulted" : "not started",
			 status->error);
		break;
	default:
		snprintk(text, size, prefix[0] == '\0' ? "stopped" : "disabled");
		break;
	}
}

void wisp_describe(const struct wisp_store_app *stored, char *text, size_t size)
{
	const struct wisp_app *app = wisp_app_find(stored->name);
	struct wisp_app_status status;

	if (app == NULL) {
		snprintk(text, size, "the firmware has no such app");
		return;
	}
	wisp_app_status(app, &status);
	wisp_describe_status(app, &status, stored->disabled ? "disabled, " : "", text, size);
}

int wisp_describe_image(const uint8_t *image, size_t size, struct wisp_store_upload *upload)
{
	const struct wisp_app *app;
	int ret = wisp_rust_store_describe(image, size, upload);

	if (ret == 0) {
		app = wisp_app_find(upload->name);
		ret = (app == NULL) ? WISP_STORE_NO_APP
				    : wisp_rust_store_image_needs(app, image, size);
	}
	return ret;
}
