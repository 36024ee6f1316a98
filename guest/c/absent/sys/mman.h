/* SPDX-License-Identifier: Apache-2.0 */
/* Found only where the C library has no header of this name. */
#error "sys/mman.h: an app has no pages to map; use malloc"
