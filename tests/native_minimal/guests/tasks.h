/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TASKS_H_
#define TASKS_H_

/* What the firmware asks the guest to do. */
enum task {
	COMPUTE,
	OUT_OF_BOUNDS,
	WRONG_TYPE,
	SPIN,
	SLEEP,
};

#endif
