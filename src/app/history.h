/* SPDX-License-Identifier: Apache-2.0 */

#ifndef WISP_APP_HISTORY_H_
#define WISP_APP_HISTORY_H_

#include <stdbool.h>

#include <wisp/wisp.h>

/* Returns true if a run trapped, failed to start, or ended with a status other than zero. */
bool wisp_failed(const struct wisp_app_status *status);

/* Records the outcome of a run. */
void wisp_history_add(const struct wisp_app *app, const struct wisp_app_status *status);

#endif /* WISP_APP_HISTORY_H_ */
