/* SPDX-License-Identifier: Apache-2.0 */

/* RAM that machine code is executed from. */

#ifndef WISP_TRANSLATE_MEMORY_H_
#define WISP_TRANSLATE_MEMORY_H_

#include <stdint.h>

/* The memory, aligned to 8 bytes at least. It is written by wisp_shim_code_write() only. */
extern uint8_t wisp_code_memory[];

/* Returns the number of bytes that can be executed. */
uint32_t wisp_code_size(void);

#endif /* WISP_TRANSLATE_MEMORY_H_ */
