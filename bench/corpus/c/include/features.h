/* SPDX-License-Identifier: Apache-2.0 */
/** @file In place of a header that only Linux's C libraries have. */
#define __GNUC_PREREQ(major, minor) 1
