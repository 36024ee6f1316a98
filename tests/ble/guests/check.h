/* SPDX-License-Identifier: Apache-2.0 */

#include "../../peripherals/guests/check.h"

#define BOARD(name) __attribute__((import_module("test:board@1"), import_name(name)))

BOARD("holds") void holds(void);
/* Waits until the test lets the guest go on. */
BOARD("gate") void gate(void);

#define EACCES    (-13)
#define EBUSY     (-16)
#define EINVAL    (-22)
#define EIO       (-5)
#define ETIMEDOUT (-116)
#define EMSGSIZE  (-122)

/* Bytes of a string without its end. */
#define BYTES(text) (const uint8_t *)(text), sizeof(text) - 1

#define LAMP  "\x05\x09Lamp"
#define FLAGS "\x02\x01\x06"
#define AIR   "\x05\x16\x1a\x18\x15\x00"
