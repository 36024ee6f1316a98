/* SPDX-License-Identifier: Apache-2.0 */

#ifndef TESTS_AOT_SUPPORT_H_
#define TESTS_AOT_SUPPORT_H_

#include <wisp/wisp.h>

#include "../guests/tasks.h"

extern const struct wisp_app app;

/* Chooses the task of runs that begin from now on. */
void choose(enum task task);

/* Starts an image of the firmware with a task. */
void begin(const char *image, enum task task);

/* Waits for the end of the run and gives its outcome. */
struct wisp_app_status outcome(void);

/* Both of the above. */
struct wisp_app_status run(const char *image, enum task task);

/* Runs what begin() or another loader has loaded. */
struct wisp_app_status run_loaded(enum task task);

/* How often the guest called the host function `report`. */
extern atomic_t reports;

/* Forgets what the runtime logged, and tells whether it has logged a text since. */
void forget_log(void);
bool was_logged(const char *text);

/* Copies what the runtime logged of a trap, from its image on. */
void told_of_trap(char *text, size_t size);

#endif /* TESTS_AOT_SUPPORT_H_ */
