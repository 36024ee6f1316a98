/* SPDX-License-Identifier: Apache-2.0 */

#ifndef TESTS_AOT_TASKS_H_
#define TESTS_AOT_TASKS_H_

/* What the guests do; the tests choose. */
enum task {
	RETURN_SEVEN,
	EXIT_WITH_NINE,
	UNREACHABLE,
	OUT_OF_BOUNDS,
	DIVIDE_BY_ZERO,
	OVERFLOW,
	CALL_NULL,
	WRONG_TYPE,
	HOST_TRAP,
	RECURSE,
	SPIN,
	SPIN_ON_FLOATS,
	SPIN_ON_HOST,
	SLEEP,
	ODD_ADDRESSES,
};

#endif /* TESTS_AOT_TASKS_H_ */
