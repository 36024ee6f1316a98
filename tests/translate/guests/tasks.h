/* SPDX-License-Identifier: Apache-2.0 */

#ifndef TESTS_TRANSLATE_TASKS_H_
#define TESTS_TRANSLATE_TASKS_H_

/* What the firmware asks the guest to do. */
enum task {
	/* Programs that report a value: see programs.h. */
	REMAINDERS,
	SORT,
	CHECKSUM,
	FIBONACCI,
	FLOATS,
	TEXT,
	PROGRAMS,
	/* Traps, three calls deep. */
	OUT_OF_BOUNDS = PROGRAMS,
	DIVIDE,
	UNREACHABLE,
	WRONG_TYPE,
	TRAPS,
	/* Calls itself without an end. */
	RECURSE = TRAPS,
	/* Loops without an end. */
	SPIN,
};

#endif /* TESTS_TRANSLATE_TASKS_H_ */
