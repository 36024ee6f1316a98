/* SPDX-License-Identifier: Apache-2.0 */

/* A check that fails ends the guest with the number of its line. */

#ifndef TESTS_MESSAGES_GUESTS_CHECK_H_
#define TESTS_MESSAGES_GUESTS_CHECK_H_

#include <stdint.h>
#include <wisp.h>

#define EXPECT(condition)                                                                          \
	do {                                                                                       \
		if (!(condition)) {                                                                \
			wisp_wasi_proc_exit(__LINE__);                                             \
		}                                                                                  \
	} while (0)

/* An address that a guest does not have. */
#define NOWHERE ((void *)0xfffffff0)

#endif /* TESTS_MESSAGES_GUESTS_CHECK_H_ */
