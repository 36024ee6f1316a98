/* SPDX-License-Identifier: Apache-2.0 */

/* Stands around the functions between which an app's thread writes its core dump. */

#include <stddef.h>

#include <zephyr/sys/printk.h>

#include <wisp/wisp.h>

#include "clock.h"

uint8_t *__real_wisp_shim_core_begin(const struct wisp_app *app, size_t *size);
void __real_wisp_shim_core_end(size_t length);
uint8_t *__wrap_wisp_shim_core_begin(const struct wisp_app *app, size_t *size);
void __wrap_wisp_shim_core_end(size_t length);

static uint32_t began;

uint8_t *__wrap_wisp_shim_core_begin(const struct wisp_app *app, size_t *size)
{
	began = now();
	return __real_wisp_shim_core_begin(app, size);
}

void __wrap_wisp_shim_core_end(size_t length)
{
	__real_wisp_shim_core_end(length);
	printk("dump %u %u\n", (uint32_t)length, now() - began);
}
