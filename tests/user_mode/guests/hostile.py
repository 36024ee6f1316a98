#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Makes an image whose native code is not what a compiler made.

hostile.py wasm OUT: a module that imports test.ask and calls it.
hostile.py patch IMAGE OUT: assembly of the image, with a jump to hostile() where the host enters the code.
Offsets are those of rust/image/src/native.rs.
"""

import struct
import sys
from pathlib import Path

CODE, FUNCTIONS = 48, 56
THUNK = 4

JUMP = """\
#ifdef __riscv
	.option push
	.option norvc
	.option norelax
	lui t0, %hi(hostile)
	jalr x0, %lo(hostile)(t0)
	.option pop
	.equ patched, 8
#else
	.syntax unified
	.thumb
	movw r3, #:lower16:hostile
	movt r3, #:upper16:hostile
	bx r3
	.equ patched, 10
#endif
"""


def section(number, *items):
    body = bytes([len(items)]) + b"".join(items)
    return bytes([number, len(body)]) + body


def sized(body):
    return bytes([len(body)]) + body


def wasm():
    # i32.const 4; i32.const 1; call 0; i32.store
    call = bytes([0x41, 4, 0x41, 1, 0x10, 0, 0x36, 2, 0])
    return (
        b"\0asm\1\0\0\0"
        + section(1, bytes([0x60, 1, 0x7F, 1, 0x7F]), bytes([0x60, 0, 0]))
        + section(2, sized(b"test") + sized(b"ask") + bytes([0, 0]))
        + section(3, b"\1")
        # 1024 pages of one byte
        + section(5, bytes([8, 0x80, 8, 0]))
        + section(7, sized(b"_start") + bytes([0, 1]))
        + section(10, sized(bytes([0]) + 4 * call + b"\x0b"))
    )


def patch(image):
    data = image.read_bytes()
    at = data.index(b"WNAT")
    code, = struct.unpack_from("<I", data, at + CODE)
    functions, count = struct.unpack_from("<II", data, at + FUNCTIONS)
    assert count == 1
    thunk, = struct.unpack_from("<I", data, at + functions + THUNK)
    jump = at + code + (thunk & ~1)
    return f"""\
	.section .text.hostile_image, "ax"
	.balign 16
hostile_image:
	.incbin "{image}", 0, {jump}
{JUMP}	.incbin "{image}", {jump} + patched
hostile_image_end:
	.balign 4

	.section .rodata.hostile_name, "a"
hostile_name:
	.asciz "hostile"

	.section ._wisp_image.static.hostile_, "a"
	.balign 4
	.word hostile_name, hostile_image, hostile_image_end - hostile_image
"""


if sys.argv[1] == "wasm":
    Path(sys.argv[2]).write_bytes(wasm())
else:
    Path(sys.argv[3]).write_text(patch(Path(sys.argv[2])), encoding="utf-8")
