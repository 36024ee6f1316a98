/* SPDX-License-Identifier: Apache-2.0 */
/* Found only where the C library has no header of this name. */
#error "signal.h: an app gets no signals"
