/* SPDX-License-Identifier: Apache-2.0 */

#ifndef LIFECYCLE_H_
#define LIFECYCLE_H_

/* Keeps this update: without it the device goes back to the version before. */
__attribute__((import_module("wisp:lifecycle@1"), import_name("confirm"))) int
wisp_lifecycle_confirm(void);

#endif /* LIFECYCLE_H_ */
