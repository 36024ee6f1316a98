/* SPDX-License-Identifier: Apache-2.0 */

#ifndef TESTS_LIMITS_EXCESS_H_
#define TESTS_LIMITS_EXCESS_H_

/* What the guest `excess` does without end, until something stops it. */
enum excess {
	SPIN,
	CALL_HOST,
	CALL_FUNCTIONS,
	FILL_MEMORY,
	DIVIDE_FLOATS,
	/* Not without end: calls nested as deep as asked. Then the depth is reported. */
	NEST,
	/* Until memory.grow fails. Then the pages are reported. */
	GROW,
};

#endif /* TESTS_LIMITS_EXCESS_H_ */
