/* SPDX-License-Identifier: Apache-2.0 */
/* Found only where the C library has no header of this name. */
#error "setjmp.h: an app has no setjmp and longjmp, which need WebAssembly's exception handling; return error codes instead"
