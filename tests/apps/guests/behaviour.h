/* SPDX-License-Identifier: Apache-2.0 */

#ifndef TESTS_APPS_BEHAVIOUR_H_
#define TESTS_APPS_BEHAVIOUR_H_

/* What the guest `behaviours` does; the tests choose. */
enum behaviour {
	RETURN_ZERO,
	RETURN_SEVEN,
	EXIT_WITH_NINE,
	UNREACHABLE,
	OUT_OF_BOUNDS,
	DIVIDE_BY_ZERO,
	OVERFLOW,
	CALL_NULL,
	RECURSE,
	SPIN,
	SLEEP,
	SPIN_IN_STEPS,
	WIDE_VALUES,
	SUM_INSIDE,
	SUM_OUTSIDE,
	SUM_WRAPPING,
	SUM_NOTHING,
	HOST_TRAP,
	HOST_SLEEP,
	PRINT_AND_SLEEP,
	TRAP_DEEP,
	LOG_FLOOD,
	PRINT_FLOOD,
	ASK_FLOOD,
};

/* Lines that each of the floods has. */
#define FLOOD_LINES 150

#endif /* TESTS_APPS_BEHAVIOUR_H_ */
