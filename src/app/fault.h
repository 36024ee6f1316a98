/* SPDX-License-Identifier: Apache-2.0 */

#ifndef WISP_APP_FAULT_H_
#define WISP_APP_FAULT_H_

#include <stdbool.h>

struct wisp_app;

/*
 * Detects that an app's thread ended without reporting its outcome. Zephyr aborts a thread that
 * faults. The app has then failed with -EFAULT. Its thread begins anew, only to release what the
 * app had open: the drivers may wait for what they do, and a driver that faulted may wait for ever.
 */
void wisp_fault_detect(const struct wisp_app *app);

/*
 * Detects this of all apps but the one whose thread calls it, because it waits for what another app
 * may hold. The caller holds no lock.
 */
void wisp_fault_detect_others(const struct wisp_app *waiting);

/*
 * Waits until the app's thread has released what was open before a fault. Returns false if it still
 * has not after a second, or if it faulted once more.
 */
bool wisp_fault_is_released(const struct wisp_app *app);

#endif /* WISP_APP_FAULT_H_ */
