# SPDX-License-Identifier: Apache-2.0
"""Firmwares on processors for which Wisp has no interpreter in assembly: the portable loop runs there."""

import os
import subprocess
import tempfile

import devenv

from suites.common import Count, twister

# Zephyr's board, the Rust target of its code, the compiler and the emulator, or None for what is this machine's own.
CORES = [
    ("qemu_x86_64", "x86_64-unknown-none", "x86_64-linux-gnu-gcc", "qemu-system-x86_64"),
    ("qemu_x86", "i686-unknown-linux-gnu", "x86_64-linux-gnu-gcc", "qemu-system-i386"),
    ("qemu_cortex_a53", "aarch64-unknown-none", "aarch64-linux-gnu-gcc", "qemu-system-aarch64"),
    ("qemu_cortex_a9", "armv7a-none-eabi", "arm-none-eabi-gcc", "qemu-system-arm"),
    ("qemu_riscv64", "riscv64imac-unknown-none-elf", "riscv64-unknown-elf-gcc", "qemu-system-riscv64"),
    ("native_sim/native", "i686-unknown-linux-gnu", "gcc", None),
]
# Boards whose stacks and registers no board of another suite stands for.
APPS = ("qemu_x86", "qemu_cortex_a9")
# A program that needs all packages for 32 bits: a header that names others of Linux, the C library, and libgcc.
PROGRAM = "#include <errno.h>\nint main(void)\n{\n\treturn errno;\n}\n"


def programs_of_32_bits():
    """Returns what to add to the environment so that gcc makes programs of 32 bits; None if it cannot.

    The package gcc-multilib has a link to the headers of Linux, and cannot be installed beside compilers for other
    processors. Without it, the folder of the headers is named.
    """
    if not devenv.find_tool("gcc"):
        return None
    headers = f"/usr/include/{devenv.output(['gcc', '-print-multiarch'])}"
    for variables in ({}, {"C_INCLUDE_PATH": headers}):
        with tempfile.TemporaryDirectory() as folder:
            done = subprocess.run(["gcc", "-m32", "-x", "c", "-", "-o", os.path.join(folder, "program")], input=PROGRAM,
                                  env={**os.environ, **variables}, text=True, capture_output=True, check=False)
        if done.returncode == 0:
            return variables
    return None


def missing(rust, compiler, emulator, variables):
    """Returns why a core cannot be run here, or None."""
    for tool in (compiler, emulator):
        if tool and not devenv.find_tool(tool):
            return f"there is no {tool}"
    if rust.startswith("i686-") and variables is None:
        return "gcc makes no programs of 32 bits: install the packages libc6-dev-i386 and lib32gcc-VERSION-dev"
    found, _ = devenv.rust_environment([rust])
    return None if found is not None else f"no Rust compiler here can build for {rust}: rustup target add {rust}"


def select_cores():
    """Runs a C guest on x86, Arm and RISC-V with 32 and 64 bits."""
    count, boards = Count(), []
    variables = programs_of_32_bits()
    for board, *needed in CORES:
        reason = missing(*needed, variables)
        if reason:
            print(f"cores: {board} is skipped, {reason}")
            count += Count(skipped=1)
        else:
            boards.append(board)
    extra = ["-x=CONFIG_MINIMAL_LIBC=y"]
    native = [board for board in boards if board.startswith("native_sim")]
    emulated = [board for board in boards if board not in native]
    if emulated:
        count += twister("cores", ["samples/hello"], emulated, extra, all_boards=True)
    apps = [board for board in APPS if board in boards]
    if apps:
        count += twister("cores-apps", ["tests/apps"], apps, extra, all_boards=True)
    # Other compilers than gcc would read the headers that are named for it.
    if native:
        count += twister("cores-native", ["samples/hello"], native, extra, all_boards=True, variables=variables)
    return count
