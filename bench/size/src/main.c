/* SPDX-License-Identifier: Apache-2.0 */
#include <zephyr/kernel.h>

#ifdef CONFIG_WISP
#include <wisp/wisp.h>

WISP_APP_DEFINE(app, "app", 0);

/* Never an image: what counts is that everything which runs one is linked. */
static volatile const void *image;
static volatile size_t image_size;

int main(void)
{
	struct wisp_app_status status;

	if (wisp_app_load(&app, (const void *)image, image_size) != 0 || wisp_app_start(&app) != 0) {
		return 0;
	}
	(void)wisp_app_join(&app, K_FOREVER);
	wisp_app_status(&app, &status);
	return (int)status.state;
}
#else
int main(void)
{
	return 0;
}
#endif
