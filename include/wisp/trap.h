/* SPDX-License-Identifier: Apache-2.0 */

/**
 * @file
 * @brief Reasons for which a guest ends.
 */

#ifndef WISP_INCLUDE_WISP_TRAP_H_
#define WISP_INCLUDE_WISP_TRAP_H_

/**
 * @addtogroup wisp
 * @{
 */

/**
 * @brief Reason of a trap, the end of a guest by a fault.
 *
 * The numbers never change. A host function returns one of them to end its guest. 16 and 17
 * are mistakes of an embedder of the engine, which this firmware cannot make.
 */
enum wisp_trap {
	/** No trap. */
	WISP_TRAP_NONE = 0,
	/** The guest executed `unreachable`: a failed assertion or a panic. */
	WISP_TRAP_UNREACHABLE = 1,
	/** An access outside linear memory. */
	WISP_TRAP_MEMORY_OUT_OF_BOUNDS = 2,
	/** An access inside the declared memory, but beyond the part that is backed. */
	WISP_TRAP_BEYOND_TRIMMED_MEMORY = 3,
	/** An access outside a table. */
	WISP_TRAP_TABLE_OUT_OF_BOUNDS = 4,
	/** An indirect call through an empty table element. */
	WISP_TRAP_INDIRECT_CALL_TO_NULL = 5,
	/** An indirect call of a function of another type. */
	WISP_TRAP_BAD_SIGNATURE = 6,
	/** A division, or a conversion from a float, overflowed. */
	WISP_TRAP_INTEGER_OVERFLOW = 7,
	/** An integer was divided by zero. */
	WISP_TRAP_INTEGER_DIVISION_BY_ZERO = 8,
	/** NaN was converted to an integer. */
	WISP_TRAP_BAD_CONVERSION_TO_INTEGER = 9,
	/** Calls were nested deeper than the frame stack, or native code's stack, allows. */
	WISP_TRAP_STACK_OVERFLOW = 10,
	/** The fuel that the app was given is used up. */
	WISP_TRAP_OUT_OF_FUEL = 11,
	/** The app was stopped by wisp_app_stop(). */
	WISP_TRAP_INTERRUPTED = 12,
	/** The app ran for too long without blocking. */
	WISP_TRAP_DEADLINE_EXCEEDED = 13,
	/** A host function failed. */
	WISP_TRAP_HOST_ERROR = 14,
	/** The guest ended itself: not an error. */
	WISP_TRAP_EXIT = 15,
	/** More calls were nested than the app's call depth allows. */
	WISP_TRAP_CALL_DEPTH_EXCEEDED = 18,
	/** Host and guest called each other deeper than the native stack allows. */
	WISP_TRAP_NESTING_EXCEEDED = 19,
	/** Code in user mode reached for memory or a system call that is not the app's. */
	WISP_TRAP_MEMORY_PROTECTION = 20,
	/** The app was given more references than it may hold. */
	WISP_TRAP_TOO_MANY_REFERENCES = 21,
};

/** @} */

#endif /* WISP_INCLUDE_WISP_TRAP_H_ */
