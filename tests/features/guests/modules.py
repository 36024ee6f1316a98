#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes a wasm module whose entry uses one feature: modules.py FEATURE OUTPUT."""

import sys

I32, FUNCREF = 0x7F, 0x70


def section(kind, *items):
    body = bytes([len(items)]) + b"".join(items)
    return bytes([kind, len(body)]) + body


def module(code):
    """A memory, a table, and the entry: code without its `end`. All lengths are below 128."""
    body = b"\0" + code + b"\x0b"
    return (b"\0asm\1\0\0\0"
            + section(1, b"\x60\0\0")
            + section(3, b"\0", b"\0")
            + section(4, bytes([FUNCREF, 0, 2]))
            + section(5, b"\0\1")
            + section(7, b"\6_start\0\0", b"\6memory\2\0")
            + section(10, bytes([len(body)]) + body, b"\2\0\x0b"))


def const(n):
    return bytes([0x41, n])


def load(offset):
    return const(0) + bytes([0x28, 2, offset])


STORE = bytes([0x36, 2, 0])
FEATURES = {
    # operands come from memory, so that nothing can be computed beforehand
    "base": const(0) + load(4) + load(8) + b"\x6a" + STORE,
    "bulk_memory": const(0) + load(4) + load(8) + b"\xfc\x0b\0",
    "reference_types": load(4) + b"\x25\0\x1a",
    "sign_extension": const(0) + load(4) + b"\xc0" + STORE,
    "float": const(0) + load(4) + b"\xbe" + load(8) + b"\xbe\x92\xbc" + STORE,
    "saturating_float_to_int": const(0) + load(4) + b"\xbe\xfc\0" + STORE,
    "tail_call": b"\x12\1",
}

if __name__ == "__main__":
    with open(sys.argv[2], "wb") as output:
        output.write(module(FEATURES[sys.argv[1]]))
