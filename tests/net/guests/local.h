/* SPDX-License-Identifier: Apache-2.0 */

#ifndef LOCAL_H_
#define LOCAL_H_

#include <stdint.h>
#include <wisp.h>

#include "../../peripherals/guests/check.h"

/* 127.0.0.1 */
#define LOCAL_HIGH 0
#define LOCAL_LOW  0xffff7f000001ull

#endif /* LOCAL_H_ */
