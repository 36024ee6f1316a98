/* SPDX-License-Identifier: Apache-2.0 */

#ifndef TESTS_SOAK_SRC_SOAK_H_
#define TESTS_SOAK_SRC_SOAK_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Ends the soak with a reason. */
#define CHECK(condition, ...)                                                                      \
	do {                                                                                       \
		if (!(condition)) {                                                                \
			soak_fail(__FILE__, __LINE__, #condition, __VA_ARGS__);                    \
		}                                                                                  \
	} while (0)

void soak_fail(const char *file, int line, const char *condition, const char *format, ...);

/* What was done. */
struct soak_counts {
	uint32_t updates;
	uint32_t crashes_rolled_back;
	uint32_t silences_rolled_back;
	uint32_t visits;
	uint32_t aborted;
	uint32_t damaged;
};

extern struct soak_counts soak_counts;

/* Installs what is not there yet. */
void soak_setup(void);

/* What must hold whenever nothing is going on. */
void soak_check_apps(void);

/* One of the steps, which leave the apps as they found them but for a newer version. */
void soak_step(uint32_t number);

#endif /* TESTS_SOAK_SRC_SOAK_H_ */
