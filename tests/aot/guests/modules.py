#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes what no C guest can be: a module whose start function never returns."""

import sys
from pathlib import Path


def section(number, *items):
    body = bytes([len(items)]) + b"".join(items)
    return bytes([number, len(body)]) + body


def sized(body):
    return bytes([len(body)]) + body


NO_TYPE = bytes([0x60, 0, 0])
# loop; br 0; end
ENDLESS = sized(bytes([0, 0x03, 0x40, 0x0c, 0, 0x0b, 0x0b]))
EMPTY = sized(bytes([0, 0x0b]))
NAME = b"_start"

START_SPINS = (
    b"\0asm\1\0\0\0"
    + section(1, NO_TYPE)
    + section(3, b"\0", b"\0")
    + section(7, sized(NAME) + bytes([0, 1]))
    + bytes([8, 1, 0])
    + section(10, ENDLESS, EMPTY)
)

Path(sys.argv[1]).write_bytes(START_SPINS)
