/* SPDX-License-Identifier: Apache-2.0 */

/* Describes apps and images in words and numbers, for the shell and the management interface. */

#include <errno.h>

#include <zephyr/sys/printk.h>
#include <zephyr/sys/util.h>

#include <wisp/wisp.h>

#include "storage/storage.h"
#include "storage/describe.h"

/* Formats a trap as in the log, for `wisp symbolize`. */
static void describe_trap(const struct wisp_app_status *status, const char *prefix, char *text,
			  size_t size)
{
	int length = snprintk(text, size, "%strap %u (%s), image %08x:%x", prefix,
			      (unsigned int)status->trap, wisp_trap_text(status->trap),
			      (unsigned int)status->image_wasm, (unsigned int)status->image_code);

	/* Without a function, the trap occurred outside of the app's code. */
	if (status->function != UINT32_MAX && length > 0 && (size_t)length < size) {
		snprintk(text + length, size - length, ", at %u@0x%x",
			 (unsigned int)status->function, (unsigned int)status->offset);
	}
}

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
		describe_trap(status, prefix, text, size);
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
	if (status.state != WISP_APP_RUNNING && !stored->disabled) {
		switch (wisp_supervisor_waits(stored->slot)) {
		case 0:
			break;
		case WISP_STORE_NO_INTERFACE:
			snprintk(text, size, "waits: the firmware lacks an interface; see the log");
			return;
		case WISP_STORE_NO_NATIVE:
			snprintk(text, size,
				 "waits: its native code does not run here; see the log");
			return;
		case WISP_STORE_NO_RAM:
			snprintk(text, size, "waits: no RAM for its image; see the log");
			return;
		default:
			snprintk(text, size, "waits: its node lacks a grant; see the log");
			return;
		}
	}
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
