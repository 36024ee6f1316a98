/* SPDX-License-Identifier: Apache-2.0 */

#include <zephyr/sys/util.h>

#include <wisp/wisp.h>

#include "storage.h"
#include "storage_describe.h"

void wisp_describe(const struct wisp_store_app *stored, char *text, size_t size)
{
	const struct wisp_app *app = wisp_app_find(stored->name);
	struct wisp_app_status status;

	if (app == NULL) {
		snprintk(text, size, "the firmware has no such app");
		return;
	}
	wisp_app_status(app, &status);
	switch (status.state) {
	case WISP_APP_RUNNING:
		snprintk(text, size, "running");
		break;
	case WISP_APP_TRAPPED:
		snprintk(text, size, "%strap: %s, in function %u at code offset 0x%x",
			 stored->disabled ? "disabled, " : "", wisp_trap_text(status.trap),
			 (unsigned int)status.function, (unsigned int)status.offset);
		break;
	case WISP_APP_EXITED:
		snprintk(text, size, "exited with status %d", status.exit_status);
		break;
	case WISP_APP_FAILED:
		snprintk(text, size, "not started: error %d", status.error);
		break;
	default:
		snprintk(text, size, stored->disabled ? "disabled" : "stopped");
		break;
	}
}

int wisp_describe_image(const uint8_t *image, size_t size, struct wisp_store_upload *upload)
{
	return wisp_rust_store_describe(image, size, upload);
}
