#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Makes images whose code is not what a compiler made.

hostile.py wasm OUT: a module that imports test.ask and calls it.
hostile.py patch IMAGE OUT: assembly of the image, with a jump to hostile() where the host enters the code.
Offsets are those of rust/image/src/native.rs.

hostile.py ir-wasm OUT: a module that asks for a number, adds another to it, and asks for the sum.
hostile.py ir-patch IMAGE OUT: assembly of the image, once with an addition that writes its result beyond the frame
(wrong_write), and once with a move that reads there (wrong_read).
"""

import struct
import sys
from pathlib import Path

CODE, FUNCTIONS = 48, 56
THUNK = 4
# The op, four times its number, the constant that the module adds, and an offset of a slot that no frame has.
ADD, ADDED, BEYOND = 0xA4, 0x3234, 0xFFFC

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


def module(*body):
    return (
        b"\0asm\1\0\0\0"
        + section(1, bytes([0x60, 1, 0x7F, 1, 0x7F]), bytes([0x60, 0, 0]))
        + section(2, sized(b"test") + sized(b"ask") + bytes([0, 0]))
        + section(3, b"\1")
        # 1024 pages of one byte
        + section(5, bytes([8, 0x80, 8, 0]))
        + section(7, sized(b"_start") + bytes([0, 1]))
        + section(10, sized(bytes(body) + b"\x0b"))
    )


def wasm():
    # i32.const 4; i32.const 1; call 0; i32.store
    call = [0x41, 4, 0x41, 1, 0x10, 0, 0x36, 2, 0]
    return module(0, *4 * call)


def ir_wasm():
    # One local: x = ask(TARGET); ask(x + ADDED).
    return module(1, 1, 0x7F, 0x41, 1, 0x10, 0, 0x21, 0, 0x20, 0, 0x41, 0xB4, 0xE4, 0, 0x6A, 0x10, 0, 0x1A)


def image_of(name, start, rest):
    return f"""\
	.section .text.{name}_image, "ax"
	.balign 16
{name}_image:
{start}{rest}
{name}_image_end:
	.balign 4

	.section .rodata.{name}_name, "a"
{name}_name:
	.asciz "{name}"

	.section ._wisp_image.static.{name}_, "a"
	.balign 4
	.word {name}_name, {name}_image, {name}_image_end - {name}_image
"""


def ir_patch(image):
    # mov r0, r3; i32.add r3, acc, ADDED: five words, of which the last is the number.
    data = image.read_bytes()
    number = data.index(struct.pack("<HHHHH", 0, 12, ADD, 12, ADDED)) + 8
    text = ""
    for name, at in (("wrong_write", number - 2), ("wrong_read", number - 6)):
        start = f'\t.incbin "{image}", 0, {at}\n\t.hword {BEYOND}\n'
        text += image_of(name, start, f'\t.incbin "{image}", {at + 2}')
    return text


def patch(image):
    data = image.read_bytes()
    at = data.index(b"WNAT")
    code, = struct.unpack_from("<I", data, at + CODE)
    functions, count = struct.unpack_from("<II", data, at + FUNCTIONS)
    assert count == 1
    thunk, = struct.unpack_from("<I", data, at + functions + THUNK)
    jump = at + code + (thunk & ~1)
    start = f'\t.incbin "{image}", 0, {jump}\n{JUMP}'
    return image_of("hostile", start, f'\t.incbin "{image}", {jump} + patched')


match sys.argv[1]:
    case "wasm":
        Path(sys.argv[2]).write_bytes(wasm())
    case "ir-wasm":
        Path(sys.argv[2]).write_bytes(ir_wasm())
    case "patch":
        Path(sys.argv[3]).write_text(patch(Path(sys.argv[2])), encoding="utf-8")
    case "ir-patch":
        Path(sys.argv[3]).write_text(ir_patch(Path(sys.argv[2])), encoding="utf-8")
