/* SPDX-License-Identifier: Apache-2.0 */

#ifdef __riscv
	/* The linker would take the bytes for code that it may shorten. */
	.option norelax
#endif
	/* Among the code: native code of the images is executed where it lies. */
	.section .text.tape, "ax"
	.balign 16
	.global selftest_tape
selftest_tape:
	.incbin "spec.tape"
	.global selftest_tape_end
selftest_tape_end:

	.section .note.GNU-stack, ""
