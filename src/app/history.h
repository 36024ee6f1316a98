/* SPDX-License-Identifier: Apache-2.0 */

#ifndef WISP_APP_HISTORY_H_
#define WISP_APP_HISTORY_H_

#include <stdbool.h>

#include <wisp/wisp.h>

/* The run did not end as a run should. */
bool wisp_failed(const struct wisp_app_status *status);

/* Takes note of a run that is over. */
void wisp_history_add(const struct wisp_app *app, const struct wisp_app_status *status);

#endif /* WISP_APP_HISTORY_H_ */
