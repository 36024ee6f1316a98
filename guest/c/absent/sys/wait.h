/* SPDX-License-Identifier: Apache-2.0 */
/* Found only where the C library has no header of this name. */
#error "sys/wait.h: an app cannot start processes; use several apps"
