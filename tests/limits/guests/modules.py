#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes wasm modules that no C compiler makes: modules.py NAME OUTPUT."""

import sys

VOID = bytes([0x60, 0, 0])
FUNCREF = 0x70


def number(n):
    """Unsigned LEB128."""
    out = bytearray()
    while n >= 0x80:
        out.append(n & 0x7F | 0x80)
        n >>= 7
    return bytes(out + bytes([n]))


def text(name):
    return number(len(name)) + name.encode()


def vector(items):
    return number(len(items)) + b"".join(items)


def section(kind, body):
    return bytes([kind]) + number(len(body)) + body


def module(imports=(), bodies=(b"\x0b",), start=None, table=None):
    """A module whose first function is its entry; a body is code with its `end`."""
    first = number(len(imports))
    parts = [section(1, vector([VOID]))]
    if imports:
        parts.append(section(2, vector([text("test") + text(name) + b"\0\0" for name in imports])))
    parts.append(section(3, vector([b"\0"] * len(bodies))))
    if table is not None:
        parts.append(section(4, vector([bytes([FUNCREF, 0]) + number(table)])))
    parts.append(section(7, vector([text("_start") + b"\0" + first])))
    if start is not None:
        parts.append(section(8, number(len(imports) + start)))
    parts.append(section(10, vector([number(len(body) + 1) + b"\0" + body for body in bodies])))
    return b"\0asm\1\0\0\0" + b"".join(parts)


MODULES = {
    # (func $start (loop (br 0)))
    "spin_in_start": module(bodies=(b"\x0b", b"\x03\x40\x0c\x00\x0b\x0b"), start=1),
    # (func $start (loop (call $sleep) (br 0)))
    "sleep_in_start": module(imports=("sleep",), bodies=(b"\x0b", b"\x03\x40\x10\x00\x0c\x00\x0b\x0b"), start=1),
    "many_imports": module(imports=("nothing",) * 9),
    "many_functions": module(bodies=(b"\x0b",) * 40),
    "large_table": module(table=17),
    "huge_table": module(table=400),
}

if __name__ == "__main__":
    with open(sys.argv[2], "wb") as output:
        output.write(MODULES[sys.argv[1]])
