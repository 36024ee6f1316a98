/* SPDX-License-Identifier: Apache-2.0 */

#include "../../peripherals/guests/check.h"

#define BOARD(name) __attribute__((import_module("test:board@1"), import_name(name)))
