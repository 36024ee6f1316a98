/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Functions that compilers for Arm call to copy and clear memory, for processors that read and write
 * words at any address. Without them, Rust's own versions are linked, which take 3 KB of flash. The
 * names with a number promise alignment, which is not needed.
 */

	.syntax	unified
	.thumb

	.macro	function name:vararg
	.irp	each, \name
	.global	\each
	.type	\each, %function
	.thumb_func
\each:
	.endr
	.endm

	/* Gives functions their sizes, for debuggers and for tools that measure images. */
	.macro	finish name:vararg
	.irp	each, \name
	.size	\each, . - \each
	.endr
	.endm

	.section .text.__aeabi_memmove, "ax", %progbits
	.balign	2

	/* r0: to, r1: from, r2: bytes */
	function __aeabi_memmove, __aeabi_memmove4, __aeabi_memmove8
	subs	r3, r0, r1
	cmp	r3, r2
	/* The beginning of `to` lies in `from`. */
	blo	backward
	function __aeabi_memcpy, __aeabi_memcpy4, __aeabi_memcpy8
	subs	r2, #16
	blo	2f
1:	ldr	r3, [r1], #4
	str	r3, [r0], #4
	ldr	r3, [r1], #4
	str	r3, [r0], #4
	ldr	r3, [r1], #4
	str	r3, [r0], #4
	ldr	r3, [r1], #4
	str	r3, [r0], #4
	subs	r2, #16
	bhs	1b
2:	adds	r2, #12
	bmi	4f
3:	ldr	r3, [r1], #4
	str	r3, [r0], #4
	subs	r2, #4
	bpl	3b
4:	adds	r2, #4
	beq	6f
5:	ldrb	r3, [r1], #1
	strb	r3, [r0], #1
	subs	r2, #1
	bne	5b
6:	bx	lr
backward:
	add	r0, r2
	add	r1, r2
	subs	r2, #4
	blo	8f
7:	ldr	r3, [r1, #-4]!
	str	r3, [r0, #-4]!
	subs	r2, #4
	bhs	7b
8:	adds	r2, #4
	beq	6b
9:	ldrb	r3, [r1, #-1]!
	strb	r3, [r0, #-1]!
	subs	r2, #1
	bne	9b
	bx	lr
	finish	__aeabi_memmove, __aeabi_memmove4, __aeabi_memmove8
	finish	__aeabi_memcpy, __aeabi_memcpy4, __aeabi_memcpy8

	.section .text.__aeabi_memset, "ax", %progbits
	.balign	2

	/* r0: to, r1: bytes */
	function __aeabi_memclr, __aeabi_memclr4, __aeabi_memclr8
	movs	r2, #0
	/* r2: value of each byte */
	function __aeabi_memset, __aeabi_memset4, __aeabi_memset8
	uxtb	r2, r2
	orr	r2, r2, r2, lsl #8
	orr	r2, r2, r2, lsl #16
	subs	r1, #16
	blo	2f
1:	str	r2, [r0], #4
	str	r2, [r0], #4
	str	r2, [r0], #4
	str	r2, [r0], #4
	subs	r1, #16
	bhs	1b
2:	adds	r1, #12
	bmi	4f
3:	str	r2, [r0], #4
	subs	r1, #4
	bpl	3b
4:	adds	r1, #4
	beq	6f
5:	strb	r2, [r0], #1
	subs	r1, #1
	bne	5b
6:	bx	lr
	finish	__aeabi_memclr, __aeabi_memclr4, __aeabi_memclr8
	finish	__aeabi_memset, __aeabi_memset4, __aeabi_memset8
