/* SPDX-License-Identifier: Apache-2.0 */

	.section .rodata.tape, "a"
	.balign 8
	.global selftest_tape
selftest_tape:
	.incbin "spec.tape"
	.global selftest_tape_end
selftest_tape_end:
	.balign 8

	.section .note.GNU-stack, ""
